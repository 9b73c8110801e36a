// What users set for their own calls: call forwarding and service attributes.

import {h, put} from '../dom.js';
import {t, when} from '../text.js';
import {settingsForm} from '../form.js';

const reasons = ['Always', 'Busy', 'NoAnswer', 'Unregistered'];
const sides = ['internal', 'external'];

// ownCalls shows a part of the own call settings.
async function ownCalls(sections, {content, signal}, options) {
  const next = h('p.help', {role: 'status'});
  const tell = (entry) => {
    next.hidden = !sections['attributes.reminder'] || !entry.reminder;
    next.textContent = entry.reminderNext ? t('attributes.next', {time: when(entry.reminderNext)}) : t('attributes.noClock');
  };
  const {form, state} = await settingsForm({path: '/profile/calls', signal, sections, options, saved: tell, taken: tell});
  content.classList.add('reading');
  tell(state.entry);
  put(content, h('section.card', form, next));
}

// forwarding: each reason is a switch, and the number below it while it is on.
export function forwarding(shown) {
  const {content, session} = shown;
  if (!session.permissions.includes('call-forwarding')) {
    put(content, h('section.card', h('p', t('forwarding.refused'))));
    return undefined;
  }
  const options = {};
  const sections = {};
  for (const side of sides) {
    sections[`forwarding.${side}`] = reasons.flatMap((r) => [`${side}${r}`, `${side}${r}Number`]);
    for (const r of reasons) {
      const when = t(`forwarding.${r}`);
      options[`${side}${r}`] = {label: when};
      options[`${side}${r}Number`] = {label: t('forwarding.to', {when}), when: (v) => v[`${side}${r}`]};
    }
  }
  return ownCalls({...sections, 'forwarding.time': ['noAnswerTime']}, shown, () => options);
}

// attributes are those that the user has a permission for.
export function attributes(shown) {
  const has = (permission, ...names) => (shown.session.permissions.includes(permission) ? names : []);
  const sections = {
    'attributes.calls': [...has('allow-dnd', 'doNotDisturb'), ...has('call-waiting', 'busyOnBusy'), 'refuseIntercom'],
    'attributes.shown': [...has('allow-clir', 'hideNumber'), ...has('allow-clip', 'showInternal', 'showExternal')],
    'attributes.reminder': has('allow-reminder', 'reminder', 'reminderAt', 'reminderDaily'),
  };
  for (const [title, names] of Object.entries(sections)) if (!names.length) delete sections[title];
  // A choice that is offered no more stays until another is made.
  const choices = (none, offered, now) => [{id: '', label: t(none)}, ...[...new Set([...offered, now])].filter(Boolean).map((n) => ({id: n, label: n}))];
  return ownCalls(sections, shown, (entry) => ({
    showInternal: {choices: choices('attributes.own', entry.clipInternal, entry.showInternal), when: () => entry.clipInternal.length > 0},
    showExternal: {choices: choices('attributes.line', entry.clipExternal, entry.showExternal), when: () => entry.clipExternal.length > 0},
    reminderAt: {when: (v) => v.reminder}, reminderDaily: {when: (v) => v.reminder},
  }));
}
