// Contacts: the global directory, the private one, and the internal one, which
// follows from the users. Exports: contactList, globalContacts, privateContacts,
// internalContacts.

import {h, put, button} from '../dom.js';
import {t} from '../text.js';
import {call, told, Problem} from '../api.js';
import * as schema from '../schema.js';
import {List} from '../list.js';
import {resourceScreen} from '../resource.js';
import {confirm, toast} from '../dialog.js';
import {pictureField, portrait} from './picture.js';

const called = (c) => [c.firstName, c.lastName].filter(Boolean).join(' ') || c.company || '';
const label = (key) => schema.label(key, 'Contact');

// source asks the server for the part of a directory that a list shows.
const source = (resource) => async (query) => {
  const q = Object.entries(query).filter(([, v]) => v !== '' && v !== false && v !== 0);
  const {body, total} = await call('GET', `${resource}?${new URLSearchParams(q)}`);
  return {rows: body, total};
};

// dials is a number with its quick dial: 11111/1.
const dials = (key) => ({key, label: label(key), class: 'wide', sort: (c) => c[key], text: (c) => [c[key], c[`${key}Quickdial`]],
  cell: (c) => [c[key], c[`${key}Quickdial`] && h('span', {class: 'muted'}, `/${c[`${key}Quickdial`]}`)]});

const columns = (path) => () => [
  {key: 'lastName', label: label('lastName'), sort: (c) => c.lastName, text: (c) => [c.id, c.image, c.firstName, c.lastName, c.company, c.office, c.mobile, c.home], cell: (c) => h('span', {class: 'who'},
    portrait(c.image), h('span', {}, h('a', {href: `${path}/${c.id}`}, c.lastName || c.company || c.firstName), h('span', {class: 'below'}, [c.firstName, c.office || c.mobile || c.home].filter(Boolean).join(' · '))))},
  {key: 'firstName', label: label('firstName'), class: 'wide', sort: (c) => c.firstName, cell: (c) => c.firstName},
  {key: 'company', label: label('company'), class: 'wide', sort: (c) => c.company, cell: (c) => c.company},
  dials('office'), dials('mobile'), dials('home'),
];

// removeAll empties a directory after its name is typed.
const removeAll = (resource, word, done) => button('danger-quiet', t('contacts.deleteAll'), async () => {
  const sure = await confirm({title: t('contacts.deleteAllTitle'), text: [t('contacts.deleteAllText'), t('contacts.deleteAllBack')], action: t('contacts.deleteAll'), danger: true, typed: t(word)});
  if (!sure) return;
  try {
    await call('DELETE', `${resource}?all=true`);
    toast(t('contacts.allDeleted'));
    await done();
  } catch (err) {
    toast(told(err), 'bad');
  }
}, {icon: 'trash'});

const trouble = (list) => list.addEventListener('trouble', (e) => toast(e.detail instanceof Problem ? e.detail.message : told(e.detail), 'bad'));

const readOnlyOptions = Object.fromEntries(['firstName', 'lastName', 'company', 'email', 'office', 'officeQuickdial', 'mobile', 'mobileQuickdial', 'home', 'homeQuickdial'].map((n) => [n, {readOnly: true}]));

// directory makes the screen of a directory that can be edited by who may(session).
function directory({may = () => true, word, ...spec}) {
  const {path, resource} = spec;
  const screen = resourceScreen({
    add: 'contacts.add', adding: 'contacts.new', empty: 'contacts.empty', ...spec, called, undo: false,
    deleteText: () => t('contacts.deleteText'),
    fixed: (c, session) => !may(session),
    list: {columns: columns(path), sort: 'lastName', names: true, numbers: true, letters: true, source: source(resource)},
    form: {
      sections: {'contacts.person': ['firstName', 'lastName', 'company', 'email'], 'contacts.numbers': ['office', 'officeQuickdial', 'mobile', 'mobileQuickdial', 'home', 'homeQuickdial']},
      options: (c, isNew, session) => (may(session) ? {} : readOnlyOptions),
    },
    extra: (state, {session, list}) => may(session) && pictureField({
      path: `${resource}/${state.entry.id}/image`, state, changed: () => list.reload(),
    }),
  });
  return {...screen, async show(context) {
    const {content, session} = context;
    if (!may(session)) content.parentElement.querySelector('.head .button')?.remove();
    const shown = await screen.show(context);
    const list = content.querySelector('g-list');
    trouble(list);
    if (may(session)) put(content, h('div', {}, removeAll(resource, word, () => list.reload())));
    return shown;
  }};
}

const global = {resource: '/contacts', about: 'contacts.aboutGlobal', word: 'contacts.wordGlobal'};

export const contactList = directory({...global, path: '/contact-list', module: 'contact-list', title: 'contacts.list'});
export const globalContacts = directory({...global, path: '/global-contacts', module: 'contacts-global', title: 'contacts.global',
  may: (s) => s.modules.includes('contact-list') || s.permissions.includes('edit-global-contacts')});
export const privateContacts = directory({path: '/private-contacts', resource: '/private-contacts', module: 'contacts-private', title: 'contacts.private', about: 'contacts.aboutPrivate', word: 'contacts.wordPrivate'});

export const internalContacts = {
  path: '/internal-contacts', module: 'contacts-internal', title: 'contacts.internal', about: 'contacts.aboutInternal',
  async show({content}) {
    const plain = (key, more) => ({key, label: schema.label(key, 'User'), sort: (c) => c[key], cell: (c) => c[key], ...more});
    const list = new List({
      name: t('contacts.internal'), keep: '/internal-contacts', sort: 'lastName', empty: t('contacts.noInternal'), names: true, numbers: true, letters: true, source: source('/internal-contacts'),
      columns: [
        plain('lastName', {text: (c) => [c.lastName, c.firstName, c.image, c.mobile], cell: (c) => h('span', {class: 'who'}, portrait(c.image),
          h('span', {}, c.lastName || c.firstName, h('span', {class: 'below'}, [c.lastName && c.firstName, c.mobile].filter(Boolean).join(' · '))))}),
        plain('firstName', {class: 'wide'}), plain('extension', {class: 'number', cell: (c) => h('strong', {}, c.extension)}),
        plain('mobile', {class: 'wide'}), plain('home', {class: 'wide'}), plain('email', {class: 'wide', cell: (c) => c.email && h('a', {href: `mailto:${c.email}`}, c.email)}),
      ],
    });
    trouble(list);
    content.append(list);
  },
};
