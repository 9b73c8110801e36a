// Home: the own extension and what is registered on it.

import {h, put} from '../dom.js';
import {t} from '../text.js';
import {call, get} from '../api.js';
import {live} from '../live.js';
import {phoneSetup, registeredPhones} from '../phone.js';

export default async function show({content, signal, session}) {
  const p = await get('/profile');
  content.classList.add('reading');
  const night = async (box) => {
    const {may, nightCard} = await import('../nightcard.js');
    if (!may(session)) box.remove();
    else await nightCard(box, signal);
  };
  const card = h('section.card');
  if (!p.extension) {
    const own = session.modules.includes('users') && [t('home.noNumber'), ' ', h('a', {href: `/users/${session.id}?field=extension`}, t('home.ownUser')), '.'];
    put(content, [h('section.card', h('p', own || t('home.noExtension'))), card]);
    await night(card);
    return;
  }
  const calls = h('div.content');
  const phones = h('div');
  const state = h('p.phone-state', {role: 'status'});
  const draw = () => {
    const list = live.state === 'on' || live.state === 'busy' ? live.registrations.get(p.extension) ?? [] : p.registrations ?? [];
    state.replaceChildren(h('span', {class: list.length ? 'dot on' : 'dot', 'aria-hidden': 'true'}), t(list.length ? 'home.reachable' : 'home.unreachable', {n: list.length}));
    phones.replaceChildren(registeredPhones(list, () => call('POST', '/profile/log-out-phone')));
  };
  put(content, [
    h('section.card.own-number', h('p.big', p.extension), h('p.muted', t('home.extension')), state),
    calls, card,
    h('section.card', h('h2', t('phone.registered')), phones),
    h('section.card', h('h2', t('phone.title')), h('p.help', t('phone.help')), phoneSetup(p.extension, p.sipPort), h('p.help', t('phone.askAdmin'))),
  ]);
  draw();
  live.follow(signal, draw);
  await Promise.all([night(card), import('../owncalls.js').then(({ownCalls}) => ownCalls(calls, session, signal))]);
}
