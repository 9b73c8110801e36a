// What a phone is set up with, and which phones are registered.

import {h, fill, facts, button} from './dom.js';
import {t, when} from './text.js';
import {call} from './api.js';
import {attempt, confirm, copy} from './dialog.js';

const hideAfter = 60_000; // ms that a revealed password stays on the screen

const copied = (label, value) => button('icon', t('action.copy', {what: label}), () => copy(value), {icon: 'copy'});

// phoneSetup lists server, user name and password for a phone.
export function phoneSetup(extension, port, password) {
  const server = location.hostname.replace(/^\[|\]$/g, '');
  const row = (label, value) => [label, [h('code', value), copied(label, value)]];
  return facts([row(t('phone.server'), server), row(t('phone.user'), extension), password, [t('phone.transport'), t('phone.transports', {port})]]);
}

// passwordRow shows dots, and the password on request. state holds the user (entry) and
// the ETag from which a new password is made, and gets that of after.
export function passwordRow(state) {
  const {entry: user} = state;
  const value = h('code.secret', user.sipPasswordSet ? '••••••••••' : t('phone.noPassword'));
  const actions = h('span.secret-actions');
  let timer = 0;
  const ask = (act) => attempt(async () => {
    const isNew = act === 'new-sip-password';
    const {body, etag} = await call('POST', `/users/${user.id}/${act}`, isNew ? {etag: state.etag} : {});
    if (isNew) {
      state.etag = etag;
      user.sipPasswordSet = true;
    }
    return body.sipPassword;
  });
  const hide = () => {
    clearTimeout(timer);
    value.textContent = '••••••••••';
    draw(false);
  };
  const reveal = (password) => {
    if (!password) return;
    clearTimeout(timer);
    value.textContent = password;
    draw(true);
    timer = setTimeout(hide, hideAfter);
  };
  const draw = (shown) => {
    const focused = actions.contains(document.activeElement);
    fill(actions,
      user.sipPasswordSet && (shown ? button('plain small', t('action.hide'), hide)
        : button('plain small reveal', t('action.reveal'), async () => reveal(await ask('reveal-sip-password')), {icon: 'eye'})),
      shown && copied(t('phone.password'), value.textContent),
      button('icon', t('phone.newPassword'), async () => {
        const sure = await confirm({title: t('phone.newTitle', {name: user.user}), text: t('phone.newText'), action: t('phone.newAction')});
        if (sure) reveal(await ask('new-sip-password'));
      }, {icon: 'refresh'}));
    if (focused) actions.querySelector('button').focus();
  };
  draw(false);
  return [t('phone.password'), [value, actions]];
}

// registeredPhones lists phones; logOut() gives back one that is another's.
export function registeredPhones(list, logOut) {
  if (!list.length) return h('p.muted', t('phone.none'));
  return h('ul.phones', list.map((r) => h('li',
    h('span.dot.on', {role: 'img', 'aria-label': t('users.registered')}),
    h('div', h('strong', r.userAgent || t('phone.unknown')),
      h('span.muted', `${r.source} · ${r.transport.toUpperCase()} · ${t('phone.since', {time: when(r.since)})}`),
      r.phone && h('p', t('phone.guest', {extension: r.phone}), ' ', button('plain small', t('phone.logOut'), () => attempt(logOut)))))));
}

// tryLink leads to where a number is tried; more is what is filled in besides: caller, or gateway or
// group for a call from outside.
export const tryLink = (session, digits, more = {}) => (digits || more.gateway || more.group) && session.modules.includes('try-number')
  && h('p', h('a', {href: `/try-number?${new URLSearchParams({digits, ...more})}`}, t(digits ? 'try.link' : 'try.linkCall')));
