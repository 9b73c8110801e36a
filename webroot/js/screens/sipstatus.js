// System status > SIP status: gateways as the providers see them, and the sockets they are reached at.

import {h, arrange, facts} from '../dom.js';
import {t, when} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {List} from '../list.js';
import {label, title, property, word} from '../schema.js';
import {span, ticking} from '../time.js';
import {line, reason, stateTag, followLines} from '../lines.js';
import {tryLink} from '../phone.js';

const name = (field) => label(field, 'LineStatus');
const since = (iso) => h('span.ticking', {'data-since': Date.parse(iso)}, span((live.now() - Date.parse(iso)) / 1000));

// card is one gateway with all that is known of it; what is not known is left out.
function card(g, session) {
  const l = line(g.id);
  const fact = (field, value) => value && [name(field), value];
  const account = [title(property('GatewayStatus', 'user'), 'user'), [g.user, g.registrar].filter(Boolean).join(' · ')];
  return h('section.card.line-card', {'data-id': g.id},
    h('div.card-head', h('h2', session.modules.includes('gateways') ? h('a', {href: `/gateways/${g.id}`}, g.name) : g.name), stateTag(l)),
    reason(l) && h('p.line-reason', reason(l)),
    facts([
      l.since && [t('lines.since'), [since(l.since), h('span.muted', when(l.since))]], account, fact('uri', l.uri),
      [title(property('GatewayStatus', 'group'), 'group'), g.group || h('span.muted', t('gateways.noGroup'))],
      [title(property('GatewayStatus', 'transport'), 'transport'), g.transport], fact('server', l.server),
      g.register && fact('registered', l.registered && when(l.registered)), g.register && fact('expires', l.expires && when(l.expires)),
      g.register && fact('refresh', l.refresh && span(l.refresh)), g.check && fact('checked', l.checked && when(l.checked)),
      fact('status', l.status && String(l.status)), [name('calls'), String(l.calls)],
    ]), tryLink(session, '', {gateway: g.id}));
}

export default async function show({content, signal, session}) {
  const box = h('div.content');
  const list = new List({
    name: t('module.transports'), of: 'TransportStatus', empty: t('transports.empty'),
    columns: [
      {key: 'name', cell: (x) => [session.modules.includes('transports') ? h('a', {href: `/transports/${x.id}`}, x.name) : h('strong', x.name), h('span.below', x.address)]},
      {key: 'type', sort: (x) => word('type', x.type)}, {key: 'address', class: 'wide'}, {key: 'external', class: 'wide'}, {key: 'gateways', class: 'number'},
    ],
  });
  let status = await get('/sip-status');
  // shown is the card of a gateway, made anew when something has changed. A link keeps the focus.
  const shown = (g) => {
    const signature = JSON.stringify([g, line(g.id)]);
    const old = box.querySelector(`[data-id="${g.id}"]`);
    if (old?.dataset.signature === signature) return old;
    const el = card(g, session);
    el.dataset.signature = signature;
    const focused = old?.contains(document.activeElement) && document.activeElement.getAttribute('href');
    if (old) old.replaceWith(el);
    if (focused) el.querySelector(`a[href="${focused}"]`)?.focus();
    return el;
  };
  const draw = () => {
    arrange(box, status.gateways.length ? status.gateways.map(shown) : [h('section.card', h('p.muted', t('gateways.empty')))]);
    list.rows = status.transports;
  };
  content.append(box, h('h2', t('module.transports')), list);
  draw();
  followLines(signal, draw);
  live.keep(signal, ['revision'], async () => {
    status = await get('/sip-status');
    if (!signal.aborted) draw();
  });
  ticking(content, signal);
}
