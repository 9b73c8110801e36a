// What users do with their own login: change of language, impersonation.
// Exports: languageSheet, impersonateSheet, endImpersonation.

import {h, button, uid} from './dom.js';
import {t, languages} from './text.js';
import {call, told} from './api.js';
import {choices} from './refs.js';
import {sheet, toast} from './dialog.js';

// languageSheet changes the user's language; done is called after.
export function languageSheet(current, done) {
  const name = uid();
  const inputs = languages.map((l) => h('input', {type: 'radio', name, id: uid(), value: l, props: {checked: l === current}}));
  const form = h('form', {onsubmit: async (e) => {
    e.preventDefault();
    try {
      const now = await call('GET', '/profile');
      const body = {mobile: now.body.mobile, home: now.body.home, language: inputs.find((i) => i.checked).value};
      await call('PUT', '/profile', {body, etag: now.etag});
      s.close();
      await done();
    } catch (err) {
      toast(told(err), 'bad');
    }
  }}, h('div', {class: 'radios', role: 'radiogroup', 'aria-label': t('language.title')},
    inputs.map((i) => h('label', {for: i.id, lang: i.value}, i, h('span', {}, t(`value.language.${i.value}`))))),
  h('p', {class: 'help'}, t('language.help')), h('button', {class: 'button primary', type: 'submit'}, t('action.save')));
  const s = sheet({title: t('language.title'), content: form});
  inputs.find((i) => i.checked)?.focus();
}

// impersonateSheet chooses a user and takes on that user's rights.
export function impersonateSheet(own, done) {
  const list = h('ul', {class: 'people'});
  const search = h('input', {type: 'search', id: uid(), autocomplete: 'off', oninput: () => draw()});
  let people = [];
  const take = async (user) => {
    try {
      await call('POST', '/session/impersonation', {body: {user}});
      s.close();
      await done();
    } catch (err) {
      toast(told(err), 'bad');
    }
  };
  const draw = () => {
    const q = search.value.trim().toLocaleLowerCase();
    const shown = people.filter((p) => p.id !== own && `${p.label} ${p.detail}`.toLocaleLowerCase().includes(q)).slice(0, 50);
    list.replaceChildren(...shown.map((p) => h('li', {}, button('quiet', `${p.label}${p.detail && ` · ${p.detail}`}`, () => take(p.id)))));
    if (!shown.length) list.append(h('li', {class: 'muted'}, t('search.nothing')));
  };
  const s = sheet({title: t('impersonate.title'), content: [h('p', {class: 'lead'}, t('impersonate.text')),
    h('div', {class: 'row'}, h('label', {for: search.id}, t('impersonate.search')), search), list]});
  choices('users').then((l) => {
    people = l;
    draw();
  });
  search.focus();
}

// endImpersonation goes back to the own rights.
export async function endImpersonation(done) {
  try {
    await call('DELETE', '/session/impersonation');
    await done();
  } catch (err) {
    toast(told(err), 'bad');
  }
}
