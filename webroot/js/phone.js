// What a person needs to set up a phone, and which phones are registered.
// Exports: phoneSetup, passwordRow, registeredPhones.

import {h, button} from './dom.js';
import {t, when} from './text.js';
import {call, told} from './api.js';
import {confirm, copy, toast} from './dialog.js';

const hideAfter = 60_000; // ms that a revealed password stays on the screen

function row(label, value, ...actions) {
  return h('div', {class: 'fact'}, h('dt', {}, label), h('dd', {}, value, actions));
}

const copied = (label, value) => button('icon', t('action.copy', {what: label}), () => copy(value), {icon: 'copy'});

// phoneSetup lists server, user name and password for a phone.
export function phoneSetup(extension, port, password) {
  const server = location.hostname.replace(/^\[|\]$/g, '');
  return h('dl', {class: 'facts'},
    row(t('phone.server'), h('code', {}, server), copied(t('phone.server'), server)),
    row(t('phone.user'), h('code', {}, extension), copied(t('phone.user'), extension)),
    password,
    row(t('phone.transport'), t('phone.transports', {port})));
}

// passwordRow shows dots, and the password on request. state holds the user (entry) and
// the ETag from which a new password is made, and gets that of after.
export function passwordRow(state) {
  const {entry: user} = state;
  const value = h('code', {class: 'secret'}, user.sipPasswordSet ? '••••••••••' : t('phone.noPassword'));
  const actions = h('span', {class: 'secret-actions'});
  let timer = 0;
  const ask = async (act) => {
    try {
      const isNew = act === 'new-sip-password';
      const {body, etag} = await call('POST', `/users/${user.id}/${act}`, isNew ? {etag: state.etag} : {});
      if (isNew) {
        state.etag = etag;
        user.sipPasswordSet = true;
      }
      return body.sipPassword;
    } catch (err) {
      toast(told(err), 'bad');
      return null;
    }
  };
  const hide = () => {
    clearTimeout(timer);
    value.textContent = '••••••••••';
    draw(false);
  };
  const reveal = (password) => {
    if (password === null) return;
    clearTimeout(timer);
    value.textContent = password;
    draw(true);
    timer = setTimeout(hide, hideAfter);
  };
  const draw = (shown) => {
    const focused = actions.contains(document.activeElement);
    actions.replaceChildren(...[
      user.sipPasswordSet && (shown ? button('plain small', t('action.hide'), hide)
        : button('plain small reveal', t('action.reveal'), async () => reveal(await ask('reveal-sip-password')), {icon: 'eye'})),
      shown && button('icon', t('action.copy', {what: t('phone.password')}), () => copy(value.textContent), {icon: 'copy'}),
      button('icon', t('phone.newPassword'), async () => {
        const sure = await confirm({title: t('phone.newTitle', {name: user.user}), text: t('phone.newText'), action: t('phone.newAction')});
        if (sure) reveal(await ask('new-sip-password'));
      }, {icon: 'refresh'}),
    ].filter(Boolean));
    if (focused) actions.querySelector('button').focus();
  };
  draw(false);
  return row(t('phone.password'), value, actions);
}

// registeredPhones lists the phones of one extension.
export function registeredPhones(list) {
  if (!list.length) return h('p', {class: 'muted'}, t('phone.none'));
  return h('ul', {class: 'phones'}, list.map((r) => h('li', {},
    h('span', {class: 'dot on', role: 'img', 'aria-label': t('users.registered')}),
    h('div', {}, h('strong', {}, r.userAgent || t('phone.unknown')),
      h('span', {class: 'muted'}, `${r.source} · ${r.transport.toUpperCase()} · ${t('phone.since', {time: when(r.since)})}`)))));
}
