// What home says of the own calls: missed ones, forwardings, do not disturb.

import {h, fill} from './dom.js';
import {t, when} from './text.js';
import {call, get} from './api.js';
import {callButton} from './dial.js';
import {live} from './live.js';

const last = 3; // missed calls that are shown
const reasons = ['Always', 'Busy', 'NoAnswer', 'Unregistered'];

// missed shows the new missed calls.
async function missed(box, session) {
  const {body, total} = await call('GET', `/profile/journal?new=true&limit=${last}`);
  fill(box, h('h2', t('home.missed')), h('div.content', h('p', {role: 'status'}, total ? t('home.missedCalls', {n: total}) : t('home.noMissed')),
    body.length > 0 && h('ul.phones', body.map((e) => h('li', h('div', h('strong', e.name || e.number || t('calls.hidden')), h('span.muted', when(e.time))), callButton(session, e.number, e.name || e.number)))),
    h('p', h('a', {href: total ? '/journal?show=missed' : '/journal'}, t('home.journal')))));
}

// set shows what holds for calls to the own number.
async function set(box, session) {
  const c = await get('/profile/calls');
  const may = (module, permission) => session.modules.includes(module) && session.permissions.includes(permission);
  const forwards = ['internal', 'external'].flatMap((side) => reasons.filter((r) => c[`${side}${r}`])
    .map((r) => t('home.forwards', {calls: t(`forwarding.${side}`), when: t(`forwarding.${r}`), number: c[`${side}${r}Number`]})));
  const lines = [
    may('service-attributes', 'allow-dnd') && [c.doNotDisturb, [t(c.doNotDisturb ? 'home.dnd' : 'home.noDnd')], '/service-attributes?field=doNotDisturb'],
    may('call-forwarding', 'call-forwarding') && [forwards.length, forwards.length ? forwards : [t('home.noForwarding')], '/call-forwarding'],
  ].filter(Boolean);
  box.hidden = !lines.length;
  fill(box, h('h2', t('home.calls')), h('ul.phones', lines.map(([on, texts, href]) => h('li', h('span', {class: on ? 'dot on' : 'dot', 'aria-hidden': 'true'}),
    h('div', texts.map((x) => h('span', x)), h('a', {href}, t('home.change')))))));
}

// ownCalls fills box with what the session may see, and keeps it current.
export async function ownCalls(box, session, signal) {
  const journal = session.modules.includes('journal') && h('section.card');
  const calls = session.modules.some((m) => m === 'call-forwarding' || m === 'service-attributes') && h('section.card');
  await Promise.all([journal && missed(journal, session), calls && set(calls, session)]);
  if (signal.aborted) return;
  fill(box, journal, calls);
  if (journal) live.keep(signal, ['journal'], () => missed(journal, session));
  if (calls) live.keep(signal, ['revision'], () => set(calls, session));
}
