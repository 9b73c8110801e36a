// The menu tree, in the groups of the manual. A new screen is put in its place here; what it shows
// is fetched when it is opened.
//
// A screen is {path, module, file, title, about}: file is its module in screens, of which it takes
// the default export or the one named by name. It may have
//   add: it has entries, at paths below; the words that add one, and adds(session): who may; entries: nobody may
//   takes: the operation of the API that takes its parameters, found by the search; except: not these
//   parameters(): a promise of [{name, property, search}], when the device tells them
//   parts: more modules of the page that show it

const settings = () => import('./screens/drafts.js');

const groups = (module, name, title, about, add) => ({path: `/${module}`, module, file: 'groups', name, title, about, add, takes: `POST /${module}`});
const csv = (path, module, kind, title, about) => ({path, module, file: 'importer', name: kind, title, about});
const directory = (path, module, name, title, about, more) => ({path, module, file: 'contacts', name, title, about, add: 'contacts.add', takes: 'POST /contacts', ...more});
const calls = (module, name) => ({path: `/${module}`, module, file: 'calls', name, title: `calls.${name}`, about: `calls.${name}About`});

const admin = [
  {title: 'menu.users', icon: 'users', screens: [
    {title: 'menu.groups', screens: [
      {path: '/users', module: 'users', file: 'users', title: 'users.title', about: 'users.about', add: 'users.add', takes: 'POST /users', except: ['mobile', 'home', 'provisioningGroup']},
      groups('pickup-groups', 'pickupGroups', 'pickupGroups.title', 'pickupGroups.about', 'pickupGroups.add'),
      groups('hunt-groups', 'huntGroups', 'huntGroups.title', 'huntGroups.about', 'huntGroups.add'),
      csv('/user-import', 'user-import', 'users', 'csv.users', 'csv.aboutUsers'),
      {path: '/name-number', module: 'name-number', file: 'namenumber', title: 'nameNumber.title', about: 'nameNumber.about'},
      {path: '/user-journals', module: 'user-journals', file: 'journal', name: 'ofUsers', title: 'journal.users', about: 'journal.aboutUsers'},
    ]},
    {title: 'menu.permissions', screens: [
      groups('permission-groups', 'permissionGroups', 'permissionGroups.title', 'permissionGroups.about', 'permissionGroups.add'),
      {path: '/gui-groups', module: 'gui-groups', file: 'gui', title: 'gui.title', about: 'gui.about', add: 'gui.add', takes: 'POST /gui-groups'},
    ]},
    {title: 'menu.contacts', screens: [
      directory('/contact-list', 'contact-list', 'contactList', 'contacts.list', 'contacts.aboutGlobal'),
      csv('/contact-csv', 'contact-csv', 'contacts', 'csv.contacts', 'csv.aboutContacts'),
    ]},
  ]},
  {title: 'menu.system', icon: 'system', screens: [
    {path: '/license', module: 'license', file: 'license', title: 'license.title', about: 'license.about'},
    {path: '/wizard', module: 'wizard', file: 'wizard', title: 'wizard.title', about: 'wizard.about'},
    {path: '/country', module: 'country', file: 'country', title: 'country.title', about: 'country.about', takes: 'PUT /locale'},
    {title: 'menu.network', screens: [
      {path: '/email-delivery', module: 'email-delivery', file: 'mail', title: 'mail.title', about: 'mail.about', takes: 'PUT /email-delivery'},
    ]},
    {path: '/settings', module: 'system-settings', file: 'drafts', title: 'settings.title', about: 'drafts.about', parameters: async () => (await settings()).parameters()},
    {path: '/certificates', module: 'certificates', file: 'certificates', title: 'certificates.title', about: 'certificates.about', add: 'certificates.add'},
    {path: '/history', module: 'revisions', file: 'history', title: 'history.title', about: 'history.about'},
    {path: '/audit', module: 'audit-log', file: 'audit', title: 'audit.title', about: 'audit.about'},
  ]},
  {title: 'menu.status', icon: 'status', screens: [
    {path: '/status', module: 'general-information', file: 'status', title: 'status.title', about: 'status.about'},
    {path: '/live-calls', module: 'live-calls', file: 'livecalls', title: 'calls.title', about: 'calls.about'},
    {path: '/call-traces', module: 'call-traces', file: 'traces', title: 'traces.title', about: 'traces.about', entries: true},
    {path: '/try-number', module: 'try-number', file: 'try', title: 'try.title', about: 'try.about'},
  ]},
];

const user = {title: 'menu.own', icon: 'phone', screens: [
  {path: '/home', module: 'home', file: 'home', title: 'home.title', about: 'home.about'},
  {path: '/journal', module: 'journal', file: 'journal', name: 'own', title: 'journal.title', about: 'journal.about'},
  {title: 'menu.ownContacts', screens: [
    {path: '/internal-contacts', module: 'contacts-internal', file: 'contacts', name: 'internalContacts', title: 'contacts.internal', about: 'contacts.aboutInternal'},
    directory('/global-contacts', 'contacts-global', 'contactList', 'contacts.global', 'contacts.aboutGlobal',
      {adds: (s) => s.modules.includes('contact-list') || s.permissions.includes('edit-global-contacts')}),
    directory('/private-contacts', 'contacts-private', 'privateContacts', 'contacts.private', 'contacts.aboutPrivate'),
    csv('/private-contact-csv', 'contacts-private-csv', 'privateContacts', 'csv.private', 'csv.aboutPrivate'),
  ]},
  calls('call-forwarding', 'forwarding'), calls('service-attributes', 'attributes'),
  {path: '/messages', module: 'messages', file: 'messages', title: 'messages.title', about: 'messages.about'},
  {path: '/code-card', module: 'code-card', file: 'codecard', title: 'codecard.title', about: 'codecard.about'},
  {path: '/profile', module: 'profile', file: 'profile', title: 'profile.title', about: 'profile.about', takes: 'PUT /profile',
    parts: ['profile-data', 'profile-pin', 'profile-language', 'profile-image']},
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
