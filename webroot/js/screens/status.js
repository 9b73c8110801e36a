// System status > General information: the device, registrations, calls.

import {h} from '../dom.js';
import {t, when, span} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {List} from '../list.js';
import * as schema from '../schema.js';

const fact = (label, value) => h('div', {class: 'fact'}, h('dt', {}, t(label)), h('dd', {}, value));

function device(s) {
  const uptime = h('span', {class: 'ticking', 'data-since': Date.parse(s.time) - s.uptimeSeconds * 1000}, span(s.uptimeSeconds));
  return h('section', {class: 'card device'}, h('h2', {}, t('status.device')), h('dl', {class: 'facts'},
    fact('status.model', s.model), fact('status.version', s.version), fact('status.hostname', s.hostname),
    fact('status.time', h('span', {class: 'clock'}, when(live.now()))), fact('status.uptime', uptime)));
}

function figure(value, label, extra) {
  return h('section', {class: 'card figure'}, h('p', {class: 'big'}, value), h('p', {}, label), extra);
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
      {key: 'state', label: t('status.state'), sort: (c) => c.state, cell: (c) => h('span', {class: `tag ${c.state}`}, t(`call.${c.state}`))},
      {key: 'from', label: t('status.from'), sort: (c) => c.from, cell: (c) => [h('strong', {}, c.from), c.fromName && h('span', {class: 'muted'}, ` ${c.fromName}`)]},
      {key: 'to', label: t('status.to'), sort: (c) => c.to, cell: (c) => h('strong', {}, c.to)},
      {key: 'since', label: t('status.since'), class: 'number', sort: (c) => 1e15 - begun(c), text: (c) => begun(c), // the longest call began first
        cell: (c) => h('span', {class: 'ticking', 'data-since': begun(c)}, span((live.now() - begun(c)) / 1000))},
    ],
  });
}

function registrations() {
  return new List({
    name: t('status.registrations'), sort: 'extension', empty: t('status.noRegistrations'),
    columns: [
      {key: 'extension', label: schema.label('extension', 'User'), sort: (r) => r.extension, cell: (r) => h('strong', {}, r.extension)},
      {key: 'userAgent', label: t('status.phone'), sort: (r) => r.userAgent, cell: (r) => [r.userAgent || t('phone.unknown'), h('span', {class: 'below'}, r.source)]},
      {key: 'source', label: t('status.address'), class: 'wide', sort: (r) => r.source, cell: (r) => `${r.source} (${r.transport.toUpperCase()})`},
      {key: 'since', label: t('status.registeredSince'), class: 'wide', sort: (r) => r.since, cell: (r) => when(r.since)},
    ],
  });
}

export default {
  path: '/status', module: 'general-information', title: 'status.title', about: 'status.about',
  async show({content, signal}) {
    const top = h('div', {class: 'figures'});
    const callList = calls();
    const phoneList = registrations();
    content.append(top, h('h2', {}, t('status.calls')), callList, h('h2', {}, t('status.registrations')), phoneList);
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
  },
};
