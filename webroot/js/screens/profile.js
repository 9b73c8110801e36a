// What a user without administration sees: the own data and phones.

import {h, button} from '../dom.js';
import {t} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import * as schema from '../schema.js';
import {pinSheet} from '../login.js';
import {phoneSetup, registeredPhones} from '../phone.js';

export default {
  path: '/profile', module: 'profile', title: 'profile.title', about: 'profile.about',
  async show({content, signal}) {
    const p = await get('/profile');
    const phones = h('div');
    const draw = () => phones.replaceChildren(registeredPhones(live.registrations.get(p.extension) ?? []));
    content.classList.add('reading');
    content.append(h('section', {class: 'card'}, h('h2', {}, p.displayName),
      h('dl', {class: 'facts'}, h('div', {class: 'fact'}, h('dt', {}, schema.label('user', 'User')), h('dd', {}, p.user))),
      button('plain', t('profile.changePin'), pinSheet)));
    if (!p.extension) return;
    content.append(h('section', {class: 'card'}, h('h2', {}, t('phone.title')), phoneSetup(p.extension, p.sipPort),
      h('p', {class: 'help'}, t('phone.askAdmin')), h('h3', {}, t('phone.registered')), phones));
    phones.append(registeredPhones(p.registrations));
    live.follow(signal, draw);
  },
};
