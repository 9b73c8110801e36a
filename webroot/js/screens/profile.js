// Profile: what users change about themselves (F047 to F050).

import {h, put, button} from '../dom.js';
import {t} from '../text.js';
import {call} from '../api.js';
import * as schema from '../schema.js';
import {Form} from '../form.js';
import {toast} from '../dialog.js';
import {pinSheet} from '../login.js';
import {pictureField} from './picture.js';

const fixed = ['firstName', 'lastName', 'email', 'extension', 'user'];
const all = ['mobile', 'home', 'language'];

export default {
  path: '/profile', module: 'profile', title: 'profile.title', about: 'profile.about',
  parameters: () => all.map((name) => ({name, property: schema.property(schema.body('PUT', '/profile'), name)})),
  parts: ['profile-data', 'profile-pin', 'profile-language', 'profile-image'],
  async show({content, signal, session}) {
    const has = (part) => session.modules.includes(`profile-${part}`);
    const read = async () => {
      const {body, etag} = await call('GET', '/profile');
      return {...body, etag};
    };
    const state = await read();
    const picture = {
      entry: state,
      get etag() {
        return state.etag;
      },
      set etag(etag) {
        state.etag = etag;
      },
    };
    const shape = schema.body('PUT', '/profile');
    const names = all.filter((n) => has(n === 'language' ? 'language' : 'data'));
    const form = new Form({
      schema: shape, sections: {'': names}, values: state,
      fresh: async () => {
        const now = await read();
        return {values: now, take: () => Object.assign(state, now)};
      },
      save: async (values, changes) => {
        const body = {...Object.fromEntries(all.map((n) => [n, state[n]])), ...values};
        const after = await call('PUT', '/profile', {body, etag: state.etag});
        Object.assign(state, after.body, {etag: after.etag});
        toast(t('settings.saved'));
        if (changes.includes('language')) location.reload();
        return after.body;
      },
    });
    form.follow(signal);
    const facts = fixed.filter((n) => state[n]).map((n) => h('div', {class: 'fact'}, h('dt', {}, schema.label(n, 'User')), h('dd', {}, state[n])));
    content.classList.add('reading');
    put(content, [
      h('section', {class: 'card'}, h('h2', {}, session.displayName), h('dl', {class: 'facts'}, facts), h('p', {class: 'help'}, t('profile.fixed'))),
      names.length > 0 && h('section', {class: 'card'}, form),
      has('image') && h('section', {class: 'card'}, pictureField({path: '/profile/image', state: picture})),
      has('pin') && !session.actor && h('section', {class: 'card card-head'}, h('div', {}, h('h3', {}, 'PIN'), h('p', {class: 'help'}, t('profile.pin'))), button('plain', t('profile.changePin'), pinSheet)),
    ]);
  },
};
