// What users set for their own calls: call forwarding and service attributes.

import {h, put, uid} from '../dom.js';
import {t, when} from '../text.js';
import {get} from '../api.js';
import {settingsForm} from '../form.js';
import {choices} from '../refs.js';

const reasons = ['Always', 'Busy', 'NoAnswer', 'Unregistered'];

// sections are all settings that there are permissions for.
function sections(permissions) {
  const may = (permission, ...names) => (permissions.includes(permission) ? names : []);
  const forwards = (side) => may('call-forwarding', ...reasons.flatMap((r) => [`${side}${r}`, `${side}${r}Number`]));
  return {
    'forwarding.internal': forwards('internal'), 'forwarding.external': forwards('external'), 'forwarding.time': may('call-forwarding', 'noAnswerTime'),
    'attributes.calls': [...may('allow-dnd', 'doNotDisturb'), ...may('call-waiting', 'busyOnBusy'), 'refuseIntercom'],
    'attributes.shown': [...may('allow-clir', 'hideNumber'), ...may('allow-clip', 'showInternal', 'showExternal')],
    'attributes.reminder': may('allow-reminder', 'reminder', 'reminderAt', 'reminderDaily'),
  };
}

// options are those of the fields. What belongs to a switch is shown while it is on.
function options(entry) {
  // A choice that is offered no more stays until another is made.
  const shows = (none, offered, now) => ({when: () => offered.length > 0,
    choices: [{id: '', label: t(none)}, ...[...new Set([...offered, now])].filter(Boolean).map((n) => ({id: n, label: n}))]});
  const all = {
    showInternal: shows('attributes.own', entry.clipInternal, entry.showInternal), showExternal: shows('attributes.line', entry.clipExternal, entry.showExternal),
    reminderAt: {when: (v) => v.reminder}, reminderDaily: {when: (v) => v.reminder},
  };
  for (const side of ['internal', 'external']) for (const r of reasons) {
    const label = t(`forwarding.${r}`);
    all[`${side}${r}`] = {label};
    all[`${side}${r}Number`] = {label: t('forwarding.to', {when: label}), when: (v) => v[`${side}${r}`]};
  }
  return all;
}

// settings shows those of a kind, or all, that lie at a path of the API.
async function settings({content, signal}, permissions, kind = '', path = '/profile/calls') {
  const next = h('p.help', {role: 'status'});
  const tell = (entry) => {
    next.hidden = !kept['attributes.reminder']?.length || !entry.reminder;
    next.textContent = entry.reminderNext ? t('attributes.next', {time: when(entry.reminderNext)}) : t('attributes.noClock');
  };
  const kept = Object.fromEntries(Object.entries(sections(permissions)).filter(([title]) => title.startsWith(kind)));
  const {form, state} = await settingsForm({path, like: '/profile/calls', signal, sections: kept, options, saved: tell, taken: tell});
  content.classList.add('reading');
  tell(state.entry);
  put(content, h('section.card', form, next));
}

export function forwarding(shown) {
  if (shown.session.permissions.includes('call-forwarding')) return settings(shown, shown.session.permissions, 'forwarding');
  return put(shown.content, h('section.card', h('p', t('forwarding.refused'))));
}

export const attributes = (shown) => settings(shown, shown.session.permissions, 'attributes');

// ofUsers are all of another user, who is chosen first.
export async function ofUsers(shown) {
  const {content, entry, app} = shown;
  const users = await choices('users');
  if (!entry) {
    const people = h('select', {id: uid(), onchange: () => app.go(`/user-calls/${people.value}`)},
      h('option', {value: ''}, t('journal.nobody')), users.map((u) => h('option', {value: u.id}, `${u.label} ${u.detail}`)));
    return put(content, h('div.row', h('label', {for: people.id}, t('journal.whose')), people));
  }
  const path = `/users/${encodeURIComponent(entry)}`;
  const {authorisations} = await get(path);
  const {label, detail} = users.find((u) => u.id === entry);
  put(content, h('div.card-head', h('h2', `${label} ${detail}`), h('a.button.plain', {href: '/user-calls'}, t('calls.another'))));
  return settings(shown, authorisations.map((a) => a.permission), '', `${path}/calls`);
}
