// Home: the profile of the night answer service, and its choice for those who may.

import {h, fill, button} from './dom.js';
import {t} from './text.js';
import {call} from './api.js';
import {live} from './live.js';
import {attempt, toast} from './dialog.js';

const name = (n) => (n ? t('routes.profile', {profile: n}) : t('night.off'));

// may tells whether the session sees the night answer service.
export const may = (session) => session.modules.includes('inbound-routes') || ['set-night-answer-service', 'night-profile-status'].some((p) => session.permissions.includes(p));

// nightCard shows the profile in box and keeps it current.
export async function nightCard(box, signal) {
  let state = {};
  const load = async () => {
    state = await call('GET', '/night-service');
    if (!signal.aborted) draw();
  };
  const set = (profile) => attempt(async () => {
    const {etag, body: {selectable, profile: before}} = state;
    try {
      state = await call('PUT', '/night-service', {body: {profile, selectable}, etag});
    } catch (err) {
      await load(); // what holds now
      throw err;
    }
    draw();
    toast(t('night.now', {name: name(profile)}), 'ok', {label: t('action.undo'), run: () => set(before)});
  });
  const draw = () => {
    const {profile, selectable, mayChoose, maySet} = state.body;
    const list = [0, ...new Set([...selectable.map(Number), profile].filter(Boolean))].sort();
    const focused = box.contains(document.activeElement) && document.activeElement.dataset.profile;
    const choice = (n) => button(n === profile ? 'primary small' : 'plain small', name(n), () => n !== profile && set(n), {'aria-pressed': String(n === profile), 'data-profile': n});
    fill(box, h('h2', t('night.title')), h('div.content', h('p.phone-state', {role: 'status'}, h('span', {class: profile ? 'dot on' : 'dot', 'aria-hidden': 'true'}), t(profile ? 'night.on' : 'night.isOff', {profile})),
      (mayChoose || maySet) && h('div.beside', {role: 'group', 'aria-label': t('night.choose')}, list.map(choice)), maySet && h('p', h('a', {href: '/night-service'}, t('night.change')))));
    if (focused) box.querySelector(`[data-profile="${focused}"]`)?.focus();
  };
  await load();
  live.keep(signal, ['revision'], load);
}
