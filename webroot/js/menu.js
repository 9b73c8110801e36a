// The menu tree: only screens that work, in the groups of the manual. A new
// screen is imported and put in its place here. Exports: menu, screens, can.
//
// A screen is {path, module, title, about, show(context)} with, as needed,
// entries (paths below it are its entries), action(app) (a node at the right of
// the title), parameters() ([{name, property, search}] for the search, or a promise of it; search is
// what the address gets to open the place) and parts (more modules that do).

import users from './screens/users.js';
import {pickupGroups, huntGroups, permissionGroups} from './screens/groups.js';
import nameNumber from './screens/namenumber.js';
import gui from './screens/gui.js';
import settings from './screens/drafts.js';
import history from './screens/history.js';
import audit from './screens/audit.js';
import status from './screens/status.js';
import profile from './screens/profile.js';
import home from './screens/home.js';
import wizard from './screens/wizard.js';
import license from './screens/license.js';
import country from './screens/country.js';
import mail from './screens/mail.js';
import certificates from './screens/certificates.js';
import {contactList, globalContacts, privateContacts, internalContacts} from './screens/contacts.js';
import * as csv from './screens/importer.js';

const admin = [
  {title: 'menu.users', icon: 'users', screens: [
    {title: 'menu.groups', screens: [users, pickupGroups, huntGroups, csv.users, nameNumber]},
    {title: 'menu.permissions', screens: [permissionGroups, gui]},
    {title: 'menu.contacts', screens: [contactList, csv.contacts]},
  ]},
  {title: 'menu.system', icon: 'system', screens: [
    license, wizard, country, {title: 'menu.network', screens: [mail]}, settings, certificates, history, audit,
  ]},
  {title: 'menu.status', icon: 'status', screens: [status]},
];

const user = {title: 'menu.own', icon: 'phone', screens: [
  home, {title: 'menu.ownContacts', screens: [internalContacts, globalContacts, privateContacts, csv.privateContacts]}, profile,
]};

// can tells whether the session shows one of the modules of a screen.
export const can = (session, screen) => [screen.module, ...screen.parts ?? []].some((m) => session.modules.includes(m));

// allowed leaves the screens that the session shows, and groups with any.
const allowed = (session, groups) => groups.map((g) => (g.screens ? {...g, screens: allowed(session, g.screens)} : g))
  .filter((g) => (g.screens ? g.screens.length : can(session, g)));

// menu returns the groups that the user may see.
export const menu = (session) => allowed(session, [...admin, user]);

const flat = (items) => items.flatMap((i) => (i.screens ? flat(i.screens) : [i]));

// screens returns the screens that the user may see, the first being home.
export const screens = (session) => flat(menu(session));
