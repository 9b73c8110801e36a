// Routes > Gateways: lines at providers, with their state of now.

import {h, facts} from '../dom.js';
import {t, when, written} from '../text.js';
import {resourceScreen} from '../resource.js';
import {choices} from '../refs.js';
import * as schema from '../schema.js';
import {line, reason, stateTag, stateWord, followLines} from '../lines.js';
import {ranked} from '../ranked.js';
import {enhanced} from '../enhanced.js';
import {sampled} from '../rewrite.js';
import {tryLink} from '../phone.js';
import {get} from '../api.js';

const account = (g) => [g.user, g.registrar].filter(Boolean).join(' · ');

function columns() {
  return [
    {key: 'name', text: (g) => [g.id, g.name, account(g)], cell: (g) => [h('a', {href: `/gateways/${g.id}`}, g.name), h('span.below', account(g))]},
    {key: 'user', label: t('gateways.account'), class: 'wide', sort: account},
    {key: 'state', label: t('lines.state'), sort: (g) => stateWord(line(g.id)), text: (g) => [stateWord(line(g.id)), reason(line(g.id))],
      cell: (g) => [stateTag(line(g.id)), h('span.reason', reason(line(g.id)))]},
    {key: 'group', class: 'wide', sort: (g) => g.groupTitle, cell: (g) => g.groupTitle || h('span.muted', t('gateways.noGroup'))},
    {key: 'since', label: schema.label('since', 'LineStatus'), class: 'wide', sort: (g) => line(g.id).since ?? '', cell: (g) => line(g.id).since && written(line(g.id).since, {dateStyle: 'short', timeStyle: 'short'})},
    {key: 'calls', label: schema.label('calls', 'LineStatus'), class: 'number wide', sort: (g) => line(g.id).calls},
  ];
}

const passwordHelp = (g) => t(g.passwordSet ? 'mail.passwordSet' : 'gateways.passwordNone');

// password shows dots where one is stored; it is never shown itself.
function password(form, g) {
  const field = form.field('password');
  field.help = passwordHelp(g);
  field.querySelector('input').placeholder = g.passwordSet ? '••••••••••' : '';
}

// dialled shows below the dial command what is sent for a number.
function dialled(form) {
  const field = form.field('dialCommand');
  const sample = sampled('0089123456', async (number) => {
    const {sent} = await get(`/dialplan/try-dial-command?${new URLSearchParams({command: field.value, number})}`);
    return [h('span', `${number} → `), h('strong', sent || t('rewrite.nothing'))];
  });
  field.append(sample.el);
  field.addEventListener('edit', sample.again);
  sample.again();
}

// now shows the state of an entry.
function now(id, screen) {
  const box = h('section');
  const draw = () => {
    const l = line(id);
    const fact = (name, value) => value !== undefined && value !== '' && [schema.label(name, 'LineStatus'), value];
    box.replaceChildren(h('h3', t('lines.now')), facts([[t('lines.state'), [stateTag(l), reason(l) && h('span', reason(l))]],
      fact('since', l.since && when(l.since)), fact('server', l.server), fact('calls', l.calls)]),
    screen.session.modules.includes('sip-status') ? h('p', h('a', {href: '/sip-status'}, t('lines.more'))) : '');
  };
  followLines(screen.watched(), draw);
  draw();
  return box;
}

export default resourceScreen({
  resource: '/gateways', adding: 'gateways.new', empty: 'gateways.empty',
  called: (g) => g.name, deleteText: () => t('gateways.deleteText'),
  list: {
    of: 'Gateway', columns, names: (g) => [g.name, g.registrar], numbers: (g) => [g.user],
    joined: async (rows) => {
      const groups = new Map((await choices('gatewayGroups')).map((c) => [c.id, c.label]));
      return rows.map((g) => ({...g, groupTitle: groups.get(g.group) ?? ''}));
    },
  },
  actions: (g, session) => (session.modules.includes('try-number') ? [{icon: 'routes', label: t('gateways.try', {name: g.name}), href: `/try-number?gateway=${g.id}`}] : []),
  form: {
    sections: {
      'gateways.provider': ['name', 'group', 'registrar', 'proxy', 'port', 'transport'],
      'gateways.account': ['user', 'authUser', 'password', 'register', 'numbers'],
      'gateways.calls': ['outbound', 'maxCalls', 'check', 'dialCommand', 'destination', 'language'],
      'gateways.caller': ['fromUser', 'fromDomain', 'sendPai', 'sendRpid', 'trustRpid'],
      'gateways.audio': ['codecs', 'dtmf', 'srtp', 't38', 'directMedia'],
      'gateways.network': ['nat', 'allowedSubnets'],
      'gateways.further': ['parameters'],
    },
    options: () => ({codecs: {control: ranked}, parameters: {control: enhanced, label: t('gateways.set'), help: t('gateways.parameters')}, numbers: {when: (v) => v.register}}),
  },
  ready: (form, {entry}) => {
    password(form, entry ?? {});
    dialled(form);
  },
  taken: (form, {entry}) => password(form, entry),
  extra: ({entry}, screen) => [now(entry.id, screen), tryLink(screen.session, '', {gateway: entry.id})],
});
