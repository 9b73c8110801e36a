// Users & extensions > Users.

import {h, put, styles} from '../dom.js';
import {t, apart, preset} from '../text.js';
import {live} from '../live.js';
import {resourceScreen} from '../resource.js';
import {references} from '../choose.js';
import * as schema from '../schema.js';
import {pictureField} from './picture.js';
import {phoneSetup, passwordRow, registeredPhones, tryLink} from '../phone.js';

await styles('users');

const name = (u) => [u.firstName, u.lastName].filter(Boolean).join(' ');
const registered = (u) => u.extension !== '' && live.registrations.has(u.extension);

function dot(u) {
  if (!u.extension) return h('span.dot.none', {role: 'img', 'aria-label': t('users.noExtension'), title: t('users.noExtension')});
  const extension = live.registrations.get(u.extension)?.[0].phone;
  const text = extension ? t('phone.guest', {extension}) : t(registered(u) ? 'users.registered' : 'users.notRegistered');
  return h('span', {class: registered(u) ? 'dot on' : 'dot', role: 'img', 'aria-label': text, title: text});
}

function columns() {
  return [
    {key: 'registered', label: t('users.state'), hidden: true, class: 'narrow', cell: dot, sort: (u) => (registered(u) ? 0 : u.extension ? 1 : 2)},
    {key: 'user', text: (u) => [u.id, u.user, u.admin, name(u)],
      cell: (u) => [h('a', {href: `/users/${u.id}`}, u.user), u.admin && h('span.tag', t('users.admin')), h('span.below', name(u))]},
    {key: 'firstName', class: 'wide'}, {key: 'lastName', class: 'wide'},
    {key: 'extension', class: 'number', cell: (u) => u.extension || h('span.muted', t('users.none'))},
    {key: 'email', class: 'wide line', cell: (u) => h('span', {title: u.email}, u.email)},
  ];
}

const pinHelp = (u) => `${t(u.pinSet ? 'users.pinSet' : 'users.pinNone')} ${t('users.pinHelp')}`;

// followPin shows what a new PIN brings: the user must then choose another,
// unless that is switched off again.
function followPin(form) {
  let before = null; // of the switch, while a PIN is typed
  form.addEventListener('edit', (e) => {
    if (e.target.name !== 'pin') return;
    const must = form.field('mustChangePin');
    if (e.target.value && before === null) {
      before = must.value;
      must.value = true;
    } else if (!e.target.value && before !== null) {
      must.value = before;
      before = null;
    }
  });
}

// phone is the set-up of the user's phone and what is registered.
function phone(state, screen) {
  const u = state.entry;
  const box = h('section.phone-setup', {hidden: !u.extension});
  if (!u.extension) return box;
  const phones = h('div');
  const draw = () => phones.replaceChildren(registeredPhones(live.registrations.get(u.extension) ?? [], () => call('POST', `/users/${u.id}/log-out-phone`)));
  live.keep(screen.watched(), ['registration'], draw);
  draw();
  return put(box, [h('h3', t('phone.title')), h('p.help', t('phone.help')),
    phoneSetup(u.extension, screen.session.sipPort, passwordRow(state)), h('h4', t('phone.registered')), phones]);
}

// rights lists what the user's groups allow (F066).
function rights(u) {
  const list = u.authorisations ?? [];
  const groups = [...new Set(list.map((a) => a.group))];
  return h('section.rights', h('h3', t('users.rights')), h('p.help', t('users.rightsHelp')),
    list.length === 0 && h('p.muted', t('users.noRights')),
    groups.map((g) => h('details', h('summary', h('strong', preset(g)), h('span.muted', ` ${list.filter((a) => a.group === g).length}`)),
      h('ul', list.filter((a) => a.group === g).map((a) => h('li', schema.word('permission', a.permission), h('span.muted', ` · ${preset(a.appliesTo)}`)))))));
}

const shape = (u) => JSON.stringify([u.user, u.extension, u.sipPasswordSet]);

export default resourceScreen({
  resource: '/users', adding: 'users.new', empty: 'users.empty',
  called: (u) => [u.user, apart(name(u)), u.extension].filter(Boolean).join(', '),
  deleteText: (u) => [u.extension ? t('users.deleteText', {extension: u.extension}) : t('users.deleteTextNoPhone'), t('users.deleteBack')],
  fixed: (u, session) => u.id === 'admin' || u.id === session.id,
  list: {of: 'User', columns, sort: 'user', names: (u) => [u.firstName, u.lastName, u.user], numbers: (u) => [u.extension], letters: (u) => [u.firstName, u.lastName]},
  form: {
    sections: {
      'users.person': ['firstName', 'lastName', 'email', 'language'],
      'users.phone': ['user', 'extension', 'sipPassword', 'voicemailBoxes', 'hideFromPhonebook', 'dropToOperator', 'operatorExtension', 'clipInternal', 'clipExternal', 'location'],
      'users.groups': ['pickupGroups', 'userGroups'],
      'users.access': ['pin', 'mustChangePin', 'admin'],
    },
    options: (u, isNew) => ({
      pin: {help: isNew ? t('users.pinHelpNew') : pinHelp(u)},
      sipPassword: {help: t(isNew ? 'users.sipPasswordNew' : 'users.sipPassword')},
      operatorExtension: {when: (v) => v.dropToOperator},
      pickupGroups: {control: ({changed}) => references({ref: 'pickupGroups', changed, empty: t('users.noPickupGroups')})},
      userGroups: {control: ({changed}) => references({ref: 'permissionGroups', changed, fixed: u.predefinedGroups ?? ['allusers', 'allvisibleusers'], skip: (c) => c.entry.predefined || c.entry.type !== 'user'})},
    }),
  },
  blank: () => ({mustChangePin: true}),
  body: (v, changes, {entry}) => {
    const sent = {...v};
    if (!changes.includes('mustChangePin') && !v.pin) delete sent.mustChangePin;
    if (entry.id === 'admin' || !changes.includes('admin')) delete sent.admin;
    return sent;
  },
  ready: (form, state, screen) => {
    if (state.entry) document.querySelector('.sheet .extra').dataset.shape = shape(state.entry);
    if (state.entry && state.entry.id !== screen.session.id) followPin(form);
  },
  taken: (form, state, screen) => {
    form.field('pin').help = pinHelp(state.entry);
    const box = document.querySelector('.sheet .extra');
    box.querySelector('.rights').replaceWith(rights(state.entry));
    if (box.dataset.shape !== shape(state.entry)) box.querySelector('.phone-setup').replaceWith(phone(state, screen));
    box.dataset.shape = shape(state.entry);
  },
  extra: (state, screen) => [pictureField({path: `/users/${state.entry.id}/image`, state, changed: () => screen.load()}), rights(state.entry), phone(state, screen),
    h('p', h('a', {href: `/user-calls/${state.entry.id}`}, t('users.calls'))), tryLink(screen.session, state.entry.extension)],
});
