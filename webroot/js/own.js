// What users do with their own login: change of language, impersonation.

import {h, fill, button, uid, styles} from './dom.js';
import {t, languages} from './text.js';
import {call} from './api.js';
import {choices} from './refs.js';
import {attempt, sheet} from './dialog.js';

await styles('own');

// languageSheet changes the user's language; done is called after.
export function languageSheet(current, done) {
  const name = uid();
  const inputs = languages.map((l) => h('input', {type: 'radio', name, id: uid(), value: l, props: {checked: l === current}}));
  const save = async () => {
    const {body: {mobile, home}, etag} = await call('GET', '/profile');
    await call('PUT', '/profile', {body: {mobile, home, language: inputs.find((i) => i.checked).value}, etag});
    s.close();
    await done();
  };
  const form = h('form', {onsubmit: (e) => {
    e.preventDefault();
    attempt(save);
  }}, h('div.radios', {role: 'radiogroup', 'aria-label': t('language.title')},
    inputs.map((i) => h('label', {for: i.id, lang: i.value}, i, h('span', t(`value.language.${i.value}`))))),
  h('p.help', t('language.help')), h('button.button.primary', {type: 'submit'}, t('action.save')));
  const s = sheet({title: t('language.title'), content: form});
  inputs.find((i) => i.checked)?.focus();
}

// impersonateSheet chooses a user and takes on that user's rights.
export function impersonateSheet(own, done) {
  const list = h('ul.people');
  const search = h('input', {type: 'search', id: uid(), autocomplete: 'off', oninput: () => draw()});
  let people = [];
  const take = (user) => attempt(async () => {
    await call('POST', '/session/impersonation', {body: {user}});
    s.close();
    await done();
  });
  const draw = () => {
    const q = search.value.trim().toLocaleLowerCase();
    const shown = people.filter((p) => p.id !== own && `${p.label} ${p.detail}`.toLocaleLowerCase().includes(q)).slice(0, 50);
    fill(list, shown.map((p) => h('li', h('button.button.quiet', {type: 'button', onclick: () => take(p.id)}, h('span', h('span', p.label), ' ', h('span.muted', p.detail))))),
      !shown.length && h('li.muted', t('search.nothing')));
  };
  const s = sheet({title: t('impersonate.title'), content: [h('p.lead', t('impersonate.text')),
    h('div.row', h('label', {for: search.id}, t('impersonate.search')), search), list]});
  choices('users').then((l) => {
    people = l;
    draw();
  });
  search.focus();
}

// endImpersonation goes back to the own rights.
export async function endImpersonation(done) {
  await call('DELETE', '/session/impersonation');
  await done();
}
