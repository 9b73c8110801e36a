// Profile: what users change about themselves (F047 to F050).

import {h, put, facts, button} from '../dom.js';
import {t} from '../text.js';
import * as schema from '../schema.js';
import {settingsForm} from '../form.js';
import {attempt} from '../dialog.js';
import {pictureField} from './picture.js';

const fixed = ['firstName', 'lastName', 'email', 'extension', 'user'];

export default async function show({content, signal, session}) {
  const has = (part) => session.modules.includes(`profile-${part}`);
  const names = ['mobile', 'home', 'language'].filter((n) => has(n === 'language' ? 'language' : 'data'));
  const {form, state} = await settingsForm({path: '/profile', signal, sections: {'': names}, saved: (entry, changes) => {
    if (changes.includes('language')) location.reload();
  }});
  content.classList.add('reading');
  put(content, [
    h('section.card', h('h2', session.displayName), facts(fixed.map((n) => state.entry[n] && [schema.label(n, 'User'), state.entry[n]])), h('p.help', t('profile.fixed'))),
    names.length > 0 && h('section.card', form),
    has('image') && h('section.card', pictureField({path: '/profile/image', state})),
    has('pin') && !session.actor && h('section.card.card-head', h('div', h('h3', 'PIN'), h('p.help', t('profile.pin'))),
      button('plain', t('profile.changePin'), () => attempt(async () => (await import('../pin.js')).pinSheet()))),
  ]);
}
