// Users & extensions > Users & groups > Pickup groups, Hunt groups; and
// Permissions > Permission groups.

import {h, uid} from '../dom.js';
import {t, preset} from '../text.js';
import {resourceScreen} from '../resource.js';
import {oneOf, references} from '../choose.js';
import {places} from '../rows.js';
import {grants} from '../grants.js';
import {choices} from '../refs.js';
import {tryLink} from '../phone.js';

export const pickupGroups = resourceScreen({
  resource: '/pickup-groups', adding: 'pickupGroups.new', empty: 'pickupGroups.empty',
  called: (g) => g.name, deleteText: () => t('pickupGroups.deleteText'),
  list: {columns: ['name', 'number', 'members'], names: (g) => [g.name], numbers: (g) => [g.number]},
  form: {sections: {'': ['number', 'name', 'members']}},
  blank: (rows) => ({number: Math.max(0, ...rows.map((g) => g.number)) + 1}), // a free one
});

// Where a hunt group sends calls on to: users with an extension and the other hunt groups.
const reasons = ['Always', 'Busy', 'NoAnswer'].flatMap((r) => [`forwardInternal${r}`, `forwardExternal${r}`]);
const target = (g) => ({control: ({changed}) => oneOf({ref: 'users|huntGroups', changed, id: uid(), skip: (c) => !c.detail || c.id === g.id, named: (c) => `${c.label}, ${c.detail}`})});

export const huntGroups = resourceScreen({
  resource: '/hunt-groups', adding: 'huntGroups.new', empty: 'huntGroups.empty',
  called: (g) => `${g.title}, ${g.extension}`, deleteText: (g) => t('huntGroups.deleteText', {extension: g.extension}),
  list: {columns: ['title', 'extension', 'callScheme', 'members'], names: (g) => [g.title], numbers: (g) => [g.extension]},
  form: {
    sections: {'huntGroups.group': ['extension', 'title', 'displayPrefix', 'callScheme', 'groupBusy', 'doorStation'], '': ['members'], 'huntGroups.forward': [...reasons, 'forwardTime']},
    options: (g) => ({members: {control: places}, ...Object.fromEntries(reasons.map((r) => [r, target(g)])), forwardTime: {when: (v) => v.forwardInternalNoAnswer || v.forwardExternalNoAnswer}}),
  },
  extra: ({entry: g}, {session}) => tryLink(session, g.extension),
});

const origin = (g) => (g.predefined ? t('permissionGroups.predefined') : '');
const called = (g) => preset(g.name);

export const permissionGroups = resourceScreen({
  resource: '/permission-groups', wide: true, adding: 'permissionGroups.new', empty: 'permissionGroups.empty',
  called, deleteText: () => t('permissionGroups.deleteText'), fixed: (g) => g.predefined,
  list: {
    of: 'PermissionGroup', columns: () => [{key: 'name', sort: called, cell: (g) => h('a', {href: `/permission-groups/${g.id}`}, called(g))}, 'type', {key: 'predefined', label: t('permissionGroups.origin'), class: 'wide', sort: origin, cell: (g) => g.predefined && h('span.tag', origin(g))},
      'members', 'permissions'],
    names: (g) => [called(g)],
  },
  form: {
    sections: (g, isNew) => (isNew || !g.predefined ? {'permissionGroups.group': ['name', 'type'], '': ['permissions', 'members']}
      : {'permissionGroups.group': ['type'], '': ['permissions']}),
    options: (g) => ({permissions: {control: grants}, type: {readOnly: Boolean(g.predefined)},
      members: {when: (v) => v.type === 'user', control: ({changed}) => references({ref: 'users', changed})}}),
  },
  extra: ({entry: g}) => g.predefined && g.type === 'user' && members(g),
});

// members shows who belongs to a predefined group; it follows from the users.
function members(g) {
  const names = h('p', '…');
  choices('users').then((list) => {
    const known = new Map(list.map((u) => [u.id, u.label]));
    names.textContent = g.members.map((id) => known.get(id) ?? id).join(', ') || t('permissionGroups.nobody');
  });
  return h('section', h('h3', t('permissionGroups.members')), h('p.help', t('permissionGroups.computed')), names);
}
