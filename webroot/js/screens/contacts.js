// Contacts: the global directory, the private one, and the internal one, which follows from the
// users.

import {h, put, button} from '../dom.js';
import {t} from '../text.js';
import {call} from '../api.js';
import {callActions} from '../dial.js';
import {List} from '../list.js';
import {resourceScreen} from '../resource.js';
import {attempt, confirm, toast} from '../dialog.js';
import {pictureField, portrait} from './picture.js';

const called = (c) => [c.firstName, c.lastName].filter(Boolean).join(' ') || c.company || '';
const numbers = ['office', 'officeQuickdial', 'mobile', 'mobileQuickdial', 'home', 'homeQuickdial'];
const sections = {'contacts.person': ['firstName', 'lastName', 'company', 'email'], 'contacts.numbers': numbers};
const readOnly = Object.fromEntries(Object.values(sections).flat().map((n) => [n, {readOnly: true}]));

// listed is what the lists have in common: the server filters, sorts and pages.
const listed = (resource, of) => ({of, sort: 'lastName', names: true, numbers: true, letters: true, source: async (query) => {
  const q = Object.entries(query).filter(([, v]) => v !== '' && v !== false && v !== 0);
  const {body, total} = await call('GET', `${resource}?${new URLSearchParams(q)}`);
  return {rows: body, total};
}});

// who is the cell of a person; below stands what narrow windows have no column for.
const who = (c, name, below) => h('span.who', portrait(c.image), h('span', name, h('span.below', below.filter(Boolean).join(' · '))));

// dials is a number with its quick dial: 11111/1.
const dials = (key) => ({key, class: 'wide', text: (c) => [c[key], c[`${key}Quickdial`]],
  cell: (c) => [c[key], c[`${key}Quickdial`] && h('span.muted', `/${c[`${key}Quickdial`]}`)]});

const columns = (path) => [
  {key: 'lastName', text: (c) => [c.id, c.image, c.firstName, c.lastName, c.company, c.office, c.mobile, c.home],
    cell: (c) => who(c, h('a', {href: `${path}/${c.id}`}, c.lastName || c.company || c.firstName), [c.firstName, c.office || c.mobile || c.home])},
  {key: 'firstName', class: 'wide'}, {key: 'company', class: 'wide'}, dials('office'), dials('mobile'), dials('home'),
];

// removeAll empties a directory after its name is typed.
const removeAll = (resource, word, done) => button('danger-quiet', t('contacts.deleteAll'), async () => {
  const sure = await confirm({title: t('contacts.deleteAllTitle'), text: [t('contacts.deleteAllText'), t('contacts.deleteAllBack')], action: t('contacts.deleteAll'), danger: true, typed: t(word)});
  if (sure) {
    await attempt(async () => {
      await call('DELETE', `${resource}?all=true`);
      toast(t('contacts.allDeleted'));
      await done();
    });
  }
}, {icon: 'trash'});

// directory shows a directory; word is what is typed to empty it.
const directory = (resource, word) => async (context) => {
  const {content, session, screen: {path, adds}} = context;
  const may = adds?.(session) ?? true;
  const shown = await resourceScreen({
    resource, adding: 'contacts.new', empty: 'contacts.empty', called, undo: false,
    actions: (c, s) => callActions(s, c.office || c.mobile || c.home, called(c)),
    deleteText: () => t('contacts.deleteText'), fixed: () => !may,
    list: {columns: columns(path), ...listed(resource, 'Contact')},
    blank: () => Object.fromEntries(['lastName', 'office'].map((k) => [k, new URLSearchParams(location.search).get(k)]).filter(([, v]) => v)), // from the journal
    form: {sections, options: may ? {} : readOnly},
    extra: (state, {list}) => may && pictureField({path: `${resource}/${state.entry.id}/image`, state, changed: () => list.reload()}),
  })(context);
  if (may) put(content, h('div', removeAll(resource, word, () => content.querySelector('g-list').reload())));
  return shown;
};

export const contactList = directory('/contacts', 'contacts.wordGlobal');
export const privateContacts = directory('/private-contacts', 'contacts.wordPrivate');

export function internalContacts({content, session}) {
  content.append(new List({
    name: t('contacts.internal'), keep: '/internal-contacts', empty: t('contacts.noInternal'), ...listed('/internal-contacts', 'User'), actions: (c) => callActions(session, c.extension, called(c)),
    columns: [
      {key: 'lastName', text: (c) => [c.lastName, c.firstName, c.image, c.mobile],
        cell: (c) => who(c, c.lastName || c.firstName, [c.lastName && c.firstName, c.mobile])},
      {key: 'firstName', class: 'wide'}, {key: 'extension', class: 'number', cell: (c) => h('strong', c.extension)},
      {key: 'mobile', class: 'wide'}, {key: 'home', class: 'wide'}, {key: 'email', class: 'wide', cell: (c) => c.email && h('a', {href: `mailto:${c.email}`}, c.email)},
    ],
  }));
}
