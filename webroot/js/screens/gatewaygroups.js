// Routes > Gateway groups: gateways with the same rules for numbers.

import {h, button} from '../dom.js';
import {t} from '../text.js';
import {call, Problem} from '../api.js';
import {attempt, toast} from '../dialog.js';
import {resourceScreen} from '../resource.js';
import {choices} from '../refs.js';
import {places} from '../rows.js';
import {rewrite} from '../rewrite.js';
import {tryLink} from '../phone.js';
import {line, stateTag, stateWord, followLines} from '../lines.js';

// members shows the gateways of a group in the order in which calls try them. They are put in it
// where they are set up.
function members(group, screen) {
  const box = h('div');
  const said = h('span.hidden', {role: 'status'});
  let list = [];
  let order; // ETag of what is shown
  const draw = () => {
    const {move, gateway} = document.activeElement?.dataset ?? {};
    const step = (g, i, sign, by) => button('icon', t(`places.${sign}`, {name: g.label}), () => shift(i, i + by), {icon: sign, 'data-move': sign, 'data-gateway': g.id, disabled: !list[i + by]});
    const row = (g, i) => h('li', h('a', {href: `/gateways/${g.id}`}, g.label), stateTag(line(g.id)),
      list.length > 1 && screen.session.modules.includes('gateways') && [step(g, i, 'up', -1), step(g, i, 'down', 1)]);
    box.replaceChildren(list.length ? h('ol.lines', list.map(row)) : h('p.muted', t('gatewayGroups.noGateways')));
    const again = gateway && [...box.querySelectorAll(`[data-gateway="${gateway}"]:enabled`)];
    if (again) (again.find((b) => b.dataset.move === move) ?? again[0])?.focus();
  };
  const load = async () => {
    const [all, {body, etag}] = await Promise.all([choices('gateways'), call('GET', '/gateways/order', {quiet: true})]);
    order = etag;
    list = body.ids.map((id) => all.find((c) => c.id === id)).filter((c) => c?.entry.group === group.id);
    draw();
  };
  const shift = (from, to) => attempt(async () => {
    const others = list.toSpliced(from, 1);
    try {
      ({etag: order} = await call('POST', `/gateways/${list[from].id}/move`, {body: {before: others[to]?.id ?? ''}, etag: order}));
      list = others.toSpliced(to, 0, list[from]);
      draw();
      said.textContent = t('places.now', {name: list[to].label, place: to + 1, of: list.length});
    } catch (err) {
      if (!(err instanceof Problem) || ![404, 409, 412, 422].includes(err.status)) throw err;
      await load();
      toast(t('order.changed'), 'bad');
    }
  });
  load().catch(() => {}); // a lost connection has its banner
  followLines(screen.watched(), draw);
  return h('section', h('h3', t('module.gateways')), h('p.help', t('gatewayGroups.gateways')), box, said);
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
