// System status > General information: the device, registrations, calls.

import {h, facts, styles} from '../dom.js';
import {t, when, span} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {List} from '../list.js';

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

const begun = (c) => Date.parse(c.answered ?? c.started);

// tick keeps the clock and durations on the page current, by the device's time.
function tick(content) {
  for (const el of content.querySelectorAll('.ticking')) el.textContent = span((live.now() - Number(el.dataset.since)) / 1000);
  for (const el of content.querySelectorAll('.clock')) el.textContent = when(live.now());
}

function calls() {
  return new List({
    name: t('status.calls'), sort: 'since', empty: t('status.noCalls'),
    columns: [
      {key: 'state', label: t('status.state'), cell: (c) => h('span', {class: `tag ${c.state}`}, t(`call.${c.state}`))},
      {key: 'from', label: t('status.from'), cell: (c) => [h('strong', c.from), c.fromName && h('span.muted', ` ${c.fromName}`)]},
      {key: 'to', label: t('status.to'), cell: (c) => h('strong', c.to)},
      {key: 'since', label: t('status.since'), class: 'number', sort: (c) => 1e15 - begun(c), text: (c) => begun(c), // the longest call began first
        cell: (c) => h('span.ticking', {'data-since': begun(c)}, span((live.now() - begun(c)) / 1000))},
    ],
  });
}

function registrations() {
  return new List({
    name: t('status.registrations'), of: 'User', sort: 'extension', empty: t('status.noRegistrations'),
    columns: [
      {key: 'extension', cell: (r) => h('strong', r.extension)},
      {key: 'userAgent', label: t('status.phone'), cell: (r) => [r.userAgent || t('phone.unknown'), h('span.below', r.source)]},
      {key: 'source', label: t('status.address'), class: 'wide', cell: (r) => `${r.source} (${r.transport.toUpperCase()})`},
      {key: 'since', label: t('status.registeredSince'), class: 'wide', cell: (r) => when(r.since)},
    ],
  });
}

export default async function show({content, signal}) {
  const top = h('div.figures');
  const callList = calls();
  const phoneList = registrations();
  content.append(top, h('h2', t('status.calls')), callList, h('h2', t('status.registrations')), phoneList);
  let status = await get('/status');
  const draw = () => {
    const phones = [...live.registrations.values()].flat();
    top.replaceChildren(
      figure(live.calls.size, t('status.callsNow', {n: live.calls.size})),
      figure(phones.length, t('status.registered', {n: phones.length})),
      users(status), device(status));
    callList.rows = [...live.calls.values()];
    phoneList.rows = phones.map((r) => ({...r, id: `${r.extension} ${r.contact}`}));
    tick(content);
  };
  draw();
  live.follow(signal, async (kind) => {
    if (kind === 'revision' || kind === 'all') status = await get('/status').catch(() => status);
    if (!signal.aborted) draw();
  });
  const timer = setInterval(() => tick(content), 1000);
  signal.addEventListener('abort', () => clearInterval(timer));
}
