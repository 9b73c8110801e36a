// Routes > Inbound routes, Outbound routes: rules that are tried one after the other.

import {h} from '../dom.js';
import {t} from '../text.js';
import {entriesScreen} from '../entries.js';
import {choices} from '../refs.js';
import {places} from '../rows.js';
import {tryLink} from '../phone.js';
import {Order} from '../order.js';
import {when, words} from '../week.js';

const profile = (n) => (n ? t('routes.profile', {profile: n}) : t('routes.always'));
const profiles = () => Array.from({length: 10}, (_, id) => ({id, label: profile(id)}));

// sample is a number, or the beginning of one, that a pattern finds: 01 for ^0[1-9].
function sample(pattern) {
  let digits = '';
  for (const part of pattern.replace(/^\^|[()]/g, '').match(/\[\d[^\]]*\]|\\d|^\+\d|./g) ?? []) {
    if (part === '\\d') digits += '1';
    else if (/^\[\d|^\+?\d/.test(part)) digits += part.replace(/^\[(\d).*/, '$1');
    else break;
  }
  return digits;
}

// joined adds to routes what the names of what they refer to are.
async function joined(rows) {
  const [groups, users, calendars] = (await Promise.all(['gatewayGroups', 'permissionGroups', 'calendars'].map(choices))).map((l) => new Map(l.map((c) => [c.id, c.label])));
  return rows.map((r) => ({...r, when: words(r.window, calendars.get(r.window.calendar)),
    groupTitles: (r.groups ?? []).map((id) => groups.get(id) ?? id).join(', '), users: r.userGroup ? users.get(r.userGroup) ?? r.userGroup : t('routes.everybody')}));
}

// rule is the first column; below are the parameters that a narrow screen has no columns for.
const rule = (path, below) => ({key: 'rule', text: (r) => [r.rule, r.active, below(r)],
  cell: (r) => [h('a', {href: `${path}/${r.id}`}, r.rule), !r.active && h('span.tag', t('routes.off')), h('span.below', below(r))]});
const at = () => ({key: 'when', label: t('routes.when'), class: 'wide'});

const window = () => ({control: when(choices('calendars'))});
const common = {called: (r) => r.rule, deleteText: () => t('routes.deleteText')};

// alone chooses the only gateway group that there is for a new rule.
const alone = (key, as) => (form, {entry}) => entry || choices('gatewayGroups').then((l) => {
  if (l.length === 1 && !form.changes.length) form.values = {...form.values, [key]: as(l[0].id)};
});

const none = () => [h('p', t('routes.noGroups')), h('a.button.primary', {href: '/gateway-groups/new'}, t('gatewayGroups.add'))];

export const inbound = entriesScreen({
  ...common, resource: '/inbound-routes', adding: 'inboundRoutes.new', empty: 'inboundRoutes.empty',
  list: {
    kind: Order, of: 'InboundRoute', joined, none,
    columns: () => [
      rule('/inbound-routes', (r) => `${r.pattern} → ${r.target} · ${profile(r.profile)}`), {key: 'pattern', class: 'wide'}, {key: 'target', class: 'wide'},
      {key: 'profile', class: 'wide', cell: (r) => profile(r.profile)}, at(),
    ],
    parts: async (rows) => (await choices('gatewayGroups')).map((g) => ({id: g.id, rows: rows.filter((r) => r.group === g.id), head: h('h2', g.label)})),
  },
  form: {
    sections: {'': ['group', 'rule', 'pattern', 'target', 'profile'], 'routes.advanced': ['active', 'window']},
    folds: ['routes.advanced'],
    options: () => ({profile: {choices: profiles(), help: t('inboundRoutes.profile')}, window: window(), pattern: {help: t('inboundRoutes.pattern')}, target: {help: t('inboundRoutes.target')}}),
  },
  ready: alone('group', (id) => id),
  extra: ({entry: r}, {session}) => tryLink(session, sample(r.pattern), {group: r.group}),
});

export const outbound = entriesScreen({
  ...common, resource: '/outbound-routes', adding: 'outboundRoutes.new', empty: 'outboundRoutes.empty',
  list: {
    kind: Order, of: 'OutboundRoute', joined, none,
    columns: () => [
      rule('/outbound-routes', (r) => `${r.pattern} → ${r.groupTitles} · ${r.users}`), {key: 'pattern', class: 'wide'}, {key: 'groupTitles', label: t('module.gateway-groups'), class: 'wide'},
      {key: 'users', label: t('routes.users'), class: 'wide'}, at(), {key: 'prefix', class: 'wide'},
    ],
  },
  form: {
    sections: {'': ['rule', 'pattern', 'groups'], 'routes.advanced': ['active', 'userGroup', 'prefix', 'window']},
    folds: ['routes.advanced'],
    options: () => ({
      groups: {control: places}, window: window(), pattern: {help: t('outboundRoutes.pattern')},
      userGroup: {none: t('routes.everybody'), skip: (c) => c.entry.type !== 'user'},
    }),
  },
  ready: alone('groups', (id) => [id]),
  extra: ({entry: r}, {session}) => tryLink(session, sample(r.pattern)),
});
