// The menu tree, in the groups of the manual. A new screen is put in its place here; what it shows
// is fetched when it is opened.
//
// A screen is {path, module, file, title, about}: file is its module in screens, of which it takes
// the default export or the one named by name. It may have
//   add: it has entries, at paths below; the words that add one, and adds(session): who may
//   entries: it has entries that nobody adds; it is shown anew for each
//   takes: the operation of the API that takes its parameters, found by the search; except: not these
//   parameters(): a promise of [{name, property, search}], when the device tells them
//   parts: more modules of the page that show it

import * as schema from './schema.js';

const settings = () => import('./screens/drafts.js');

// at is a screen at the path of its module, unless it says otherwise.
const at = (module, more) => ({path: `/${module}`, module, ...more});
const groups = (module, name, title, about, add) => at(module, {file: 'groups', name, title, about, add, takes: `POST /${module}`});
const csv = (module, name, title, about) => at(module, {file: 'importer', name, title, about});
const directory = (module, name, title, about, more) => at(module, {file: 'contacts', name, title, about, add: 'contacts.add', takes: 'POST /contacts', ...more});
const routes = (module, name, about, add) => at(module, {file: 'routes', name, title: `module.${module}`, about, add, takes: `POST /${module}`});
const calls = (module, name, more) => at(module, {file: 'calls', name, title: `calls.${name}`, about: `calls.${name}About`, ...more});

const admin = [
  {title: 'menu.users', icon: 'users', screens: [
    {title: 'menu.groups', screens: [
      at('users', {file: 'users', title: 'users.title', about: 'users.about', add: 'users.add', takes: 'POST /users', except: ['mobile', 'home', 'provisioningGroup']}),
      groups('pickup-groups', 'pickupGroups', 'pickupGroups.title', 'pickupGroups.about', 'pickupGroups.add'),
      groups('hunt-groups', 'huntGroups', 'huntGroups.title', 'huntGroups.about', 'huntGroups.add'),
      csv('user-import', 'users', 'csv.users', 'csv.aboutUsers'),
      at('name-number', {file: 'namenumber', title: 'nameNumber.title', about: 'nameNumber.about'}),
      calls('users', 'ofUsers', {path: '/user-calls', entries: true}),
      at('user-journals', {file: 'journal', name: 'ofUsers', title: 'journal.users', about: 'journal.aboutUsers'}),
    ]},
    {title: 'menu.permissions', screens: [
      groups('permission-groups', 'permissionGroups', 'permissionGroups.title', 'permissionGroups.about', 'permissionGroups.add'),
      at('gui-groups', {file: 'gui', title: 'gui.title', about: 'gui.about', add: 'gui.add', takes: 'POST /gui-groups'}),
    ]},
    {title: 'menu.contacts', screens: [
      directory('contact-list', 'contactList', 'contacts.list', 'contacts.aboutGlobal'),
      csv('contact-csv', 'contacts', 'csv.contacts', 'csv.aboutContacts'),
    ]},
  ]},
  {title: 'module.routes', icon: 'routes', screens: [
    at('gateways', {file: 'gateways', title: 'module.gateways', about: 'gateways.about', add: 'gateways.add', takes: 'POST /gateways', parameters: async () => schema.parts({properties: schema.of('GatewayOptions')}).map(([name, property]) => ({name, property, search: '?field=parameters'}))}),
    at('gateway-groups', {file: 'gatewaygroups', title: 'module.gateway-groups', about: 'gatewayGroups.about', add: 'gatewayGroups.add', takes: 'POST /gateway-groups'}),
    routes('inbound-routes', 'inbound', 'inboundRoutes.about', 'inboundRoutes.add'),
    at('inbound-routes', {path: '/night-service', file: 'nightservice', title: 'night.title', about: 'night.about', takes: 'PUT /night-service'}),
    routes('outbound-routes', 'outbound', 'outboundRoutes.about', 'outboundRoutes.add'),
    at('outbound-routes', {path: '/toll-limits', file: 'toll', title: 'toll.title', about: 'toll.about', takes: 'PUT /toll-limits'}),
    at('calendars', {file: 'calendars', title: 'module.calendars', about: 'calendars.about', add: 'calendars.add', takes: 'POST /calendars'}),
  ]},
  {title: 'menu.system', icon: 'system', screens: [
    at('license', {file: 'license', title: 'license.title', about: 'license.about'}),
    at('wizard', {file: 'wizard', title: 'wizard.title', about: 'wizard.about'}),
    at('country', {file: 'country', title: 'country.title', about: 'country.about', takes: 'PUT /locale'}),
    {title: 'menu.network', screens: [
      at('email-delivery', {file: 'mail', title: 'mail.title', about: 'mail.about', takes: 'PUT /email-delivery'}),
    ]},
    {path: '/settings', module: 'system-settings', file: 'drafts', title: 'settings.title', about: 'drafts.about', parameters: async () => (await settings()).parameters()},
    at('transports', {file: 'transports', title: 'module.transports', about: 'transports.about', add: 'transports.add', takes: 'POST /transports'}),
    at('certificates', {file: 'certificates', title: 'certificates.title', about: 'certificates.about', add: 'certificates.add'}),
    {path: '/history', module: 'revisions', file: 'history', title: 'history.title', about: 'history.about'},
    {path: '/audit', module: 'audit-log', file: 'audit', title: 'audit.title', about: 'audit.about'},
  ]},
  {title: 'menu.status', icon: 'status', screens: [
    {path: '/status', module: 'general-information', file: 'status', title: 'status.title', about: 'status.about'},
    at('sip-status', {file: 'sipstatus', title: 'module.sip-status', about: 'lines.about'}),
    at('live-calls', {file: 'livecalls', title: 'calls.title', about: 'calls.about'}),
    at('call-records', {file: 'records', title: 'records.title', about: 'records.about', entries: true}),
    at('call-traces', {file: 'traces', title: 'traces.title', about: 'traces.about', entries: true}),
    at('try-number', {file: 'try', title: 'try.title', about: 'try.about'}),
  ]},
];

const user = {title: 'menu.own', icon: 'phone', screens: [
  at('home', {file: 'home', title: 'home.title', about: 'home.about'}),
  at('journal', {file: 'journal', name: 'own', title: 'journal.title', about: 'journal.about'}),
  {title: 'menu.ownContacts', screens: [
    {path: '/internal-contacts', module: 'contacts-internal', file: 'contacts', name: 'internalContacts', title: 'contacts.internal', about: 'contacts.aboutInternal'},
    directory('contacts-global', 'contactList', 'contacts.global', 'contacts.aboutGlobal', {path: '/global-contacts',
      adds: (s) => s.modules.includes('contact-list') || s.permissions.includes('edit-global-contacts')}),
    directory('contacts-private', 'privateContacts', 'contacts.private', 'contacts.aboutPrivate', {path: '/private-contacts'}),
    {...csv('contacts-private-csv', 'privateContacts', 'csv.private', 'csv.aboutPrivate'), path: '/private-contact-csv'},
  ]},
  calls('call-forwarding', 'forwarding'), calls('service-attributes', 'attributes'),
  at('messages', {file: 'messages', title: 'messages.title', about: 'messages.about'}),
  at('code-card', {file: 'codecard', title: 'codecard.title', about: 'codecard.about'}),
  at('profile', {file: 'profile', title: 'profile.title', about: 'profile.about', takes: 'PUT /profile',
    parts: ['profile-data', 'profile-pin', 'profile-language', 'profile-image']}),
]};

// opened fetches a screen and returns what shows it: a function of {content, signal, entry,
// screen, app, session} that may return {entry(id)}, called for other entries.
export const opened = async ({file, name = 'default'}) => (await import(`./screens/${file}.js`))[name];

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
