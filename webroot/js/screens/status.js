// System status > General information: the device, registrations, calls.

import {h, facts, styles} from '../dom.js';
import {t, when} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {List} from '../list.js';
import {callList} from '../livecalls.js';
import {span, ticking} from '../time.js';

await styles('status');

function device(s) {
  const uptime = h('span.ticking', {'data-since': Date.parse(s.time) - s.uptimeSeconds * 1000}, span(s.uptimeSeconds));
  return h('section.card.device', h('h2', t('status.device')), facts([
    [t('status.model'), s.model], [t('status.version'), s.version], [t('status.hostname'), s.hostname],
    [t('status.time'), h('span.clock', when(live.now()))], [t('status.uptime'), uptime]]));
}

function figure(value, label, extra) {
  return h('section.card.figure', h('p.big', value), h('p', label), extra);
}

function users(s) {
  const meter = s.maxUsers ? h('meter', {min: 0, max: s.maxUsers, value: s.users, 'aria-label': t('status.users')}) : null;
  return figure(s.maxUsers ? t('status.of', {n: s.users, all: s.maxUsers}) : s.users, t('status.users'), meter);
}

function registrations() {
  return new List({
    name: t('status.registrations'), of: 'User', sort: 'extension', empty: t('status.noRegistrations'),
    columns: [
      {key: 'extension', cell: (r) => [h('strong', r.extension), r.phone && h('span.below', t('phone.guest', {extension: r.phone}))]},
      {key: 'userAgent', label: t('status.phone'), cell: (r) => [r.userAgent || t('phone.unknown'), h('span.below', r.source)]},
      {key: 'source', label: t('status.address'), class: 'wide', cell: (r) => `${r.source} (${r.transport.toUpperCase()})`},
      {key: 'since', label: t('status.registeredSince'), class: 'wide', cell: (r) => when(r.since)},
    ],
  });
}

export default async function show({content, signal}) {
  const top = h('div.figures');
  const calls = callList();
  const phoneList = registrations();
  content.append(top, h('h2', t('status.calls')), calls, h('h2', t('status.registrations')), phoneList);
  let status = await get('/status');
  const draw = () => {
    const phones = [...live.registrations.values()].flat();
    top.replaceChildren(
      figure(live.calls.size, t('status.callsNow', {n: live.calls.size})),
      figure(phones.length, t('status.registered', {n: phones.length})),
      users(status), device(status));
    calls.rows = [...live.calls.values()];
    phoneList.rows = phones.map((r) => ({...r, id: `${r.extension} ${r.contact}`}));
  };
  draw();
  live.follow(signal, async (kind) => {
    if (kind === 'revision' || kind === 'all') status = await get('/status').catch(() => status);
    if (!signal.aborted) draw();
  });
  ticking(content, signal, () => {
    for (const el of content.querySelectorAll('.clock')) el.textContent = when(live.now());
  });
}
