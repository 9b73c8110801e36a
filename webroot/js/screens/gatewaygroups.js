// Routes > Gateway groups: gateways with the same rules for numbers.

import {h} from '../dom.js';
import {t} from '../text.js';
import {resourceScreen} from '../resource.js';
import {choices} from '../refs.js';
import {places} from '../rows.js';
import {rewrite} from '../rewrite.js';
import {tryLink} from '../phone.js';
import {line, stateTag, stateWord, followLines} from '../lines.js';

// members shows the gateways of a group. They are put in it where they are set up.
function members(group, screen) {
  const box = h('div');
  let list = [];
  const draw = () => box.replaceChildren(list.length ? h('ul.lines', list.map((g) => h('li', h('a', {href: `/gateways/${g.id}`}, g.label), stateTag(line(g.id))))) : h('p.muted', t('gatewayGroups.noGateways')));
  choices('gateways').then((all) => {
    list = all.filter((c) => c.entry.group === group.id);
    draw();
  });
  followLines(screen.watched(), draw);
  return h('section', h('h3', t('module.gateways')), h('p.help', t('gatewayGroups.gateways')), box);
}

export default resourceScreen({
  resource: '/gateway-groups', adding: 'gatewayGroups.new', empty: 'gatewayGroups.empty',
  wide: true, called: (g) => g.title, deleteText: () => t('gatewayGroups.deleteText'),
  list: {
    of: 'GatewayGroup', names: (g) => [g.title],
    columns: () => [
      {key: 'title', cell: (g) => h('a', {href: `/gateway-groups/${g.id}`}, g.title)},
      {key: 'gateways', label: t('module.gateways'), sort: (g) => g.gateways.length, text: (g) => g.gateways.map((x) => [x.label, stateWord(line(x.id))]),
        cell: (g) => (g.gateways.length ? h('ul.lines', g.gateways.map((x) => h('li', x.label, stateTag(line(x.id))))) : h('span.muted', t('gatewayGroups.noGateways')))},
      {key: 'callerIds', class: 'number wide', sort: (g) => g.callerIds.length},
    ],
    joined: async (rows) => {
      const all = await choices('gateways');
      return rows.map((g) => ({...g, gateways: all.filter((c) => c.entry.group === g.id)}));
    },
  },
  form: {
    sections: {
      'gatewayGroups.group': ['title', 'inbound'],
      'gatewayGroups.out': ['outboundCallerId', 'callerIds', 'assertedIdentity', 'numberStyle'],
      'gatewayGroups.in': ['inboundDid', 'inboundCallerId'],
    },
    options: {outboundCallerId: {control: rewrite('101')}, assertedIdentity: {control: rewrite('101')},
      inboundDid: {control: rewrite('498912345678101')}, inboundCallerId: {control: rewrite('0891234567')}, callerIds: {control: (of) => places({...of, ordered: false, kind: 'CallerId'})}},
  },
  extra: ({entry}, screen) => [members(entry, screen), tryLink(screen.session, '', {group: entry.id})],
});
