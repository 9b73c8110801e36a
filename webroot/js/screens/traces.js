// System status > Call traces: why a call went where it did, what was said on the wire, and how it
// sounded.

import {h, fill, facts, icon, button, styles, uid} from '../dom.js';
import {t, when, number, message, sentence} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {span, timeOfDay, ticking} from '../time.js';
import {older} from '../older.js';
import {attempt, sheet, copy} from '../dialog.js';
import {step} from '../steps.js';
import {ladder} from '../ladder.js';
import {chart, table} from '../chart.js';

await styles('traces');

const path = (id) => `/call-traces/${encodeURIComponent(id)}`;
const seconds = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;
const caller = (c) => c.fromName || c.from || t('calls.hidden');

// became is what became of a call, in a few words.
function became(c) {
  if (!c.ended) return c.answered ? [t('traces.talking'), ' ', h('span.ticking', {'data-since': Date.parse(c.answered)}, span((live.now() - Date.parse(c.answered)) / 1000))] : t('call.ringing');
  return c.answered ? t('traces.spoken', {time: span(seconds(c.answered, c.ended))}) : message(c.why?.template ?? '', c.why?.args);
}

// sounds is a MOS as a tag, with a word beside the number.
function sounds(mos) {
  const grade = mos >= 4 ? 'good' : mos >= 3.5 ? 'fair' : 'poor';
  return h('span', {class: `tag ${grade}`}, `${t(`traces.${grade}`)} ${number(Math.round(mos * 10) / 10)}`);
}

const row = (c) => h('a.trace', {href: path(c.id)},
  h('span.muted', when(c.began)),
  h('span.who', h('strong', `${caller(c)} → ${c.to}`), c.numbers.length > 1 && h('span.muted', c.numbers.join(', '))),
  h('span', became(c)), c.mos ? sounds(c.mos) : h('span'));

// decided are the summary and the steps.
function decided({call, summary, steps}) {
  const since = (at) => `+${number(Math.max(0, Math.round(seconds(call.began, at) * 10) / 10))} s`;
  return [h('section.card', h('ul.told', summary.map((m) => h('li', sentence(message(m.template, m.args))))),
    facts([[t('traces.began'), when(call.began)], call.why && [t('traces.cause'), message(call.why.template, call.why.args)], call.mos && [t('traces.sound'), sounds(call.mos)]])),
  h('section.card', h('h2', t('traces.why')), steps.length ? h('ol.steps', steps.map((s) => step(s, since(s.at)))) : h('p.muted', t('traces.noSteps')))];
}

function shown(m, name) {
  sheet({title: name, wide: true, content: h('div.wire',
    h('p.help', t('traces.wire', {network: m.network.toUpperCase(), local: m.local, remote: m.remote, n: m.size})),
    h('pre', {tabindex: 0}, m.text), button('plain small', t('action.copy', {what: t('traces.message')}), () => copy(m.text), {icon: 'copy'}))});
}

function wire(id, said) {
  const {messages, leftOut, givenUp} = said;
  return h('section.card', h('div.card-head', h('h2', t('traces.messages')),
    messages.length > 0 && h('a.button.plain.small', {href: `/api/v1/calls/${encodeURIComponent(id)}/pcap`, download: ''}, icon('download'), h('span', t('traces.pcap')))),
  messages.length > 0 && [h('p.help', t('traces.messagesHelp')), h('div.scrolls', ladder(said, shown))],
  messages.length === 0 && h('p.muted', t(givenUp ? 'traces.givenUp' : 'traces.noMessages')),
  leftOut > 0 && h('p.muted', t('traces.leftOut', {n: leftOut})));
}

// heard are the graphs of one direction of one side.
function heard(title, points, from, to) {
  const wide = points.some((p) => p.wideband);
  const measures = [{key: 'mos', label: t('traces.mos'), low: 1, high: 4.5}, {key: 'loss', label: t('traces.loss'), unit: '%', low: 0, high: 1}, {key: 'jitter', label: t('traces.jitter'), unit: 'ms', low: 0, high: 10}];
  return h('section.direction', h('h3', title, wide && h('span.tag', t('traces.wideband'))),
    measures.map((m) => chart(points, m, from, to)),
    h('details', h('summary', t('traces.table')), table(points, [...measures, {key: 'r', label: t('traces.r')}, {key: 'roundTrip', label: t('traces.roundTrip'), unit: 'ms'}], title, timeOfDay)));
}

function sound(legs, call) {
  const all = legs.flatMap((l) => [...l.from, ...l.to].map((p) => Date.parse(p.at)));
  const [from, to] = [Date.parse(call.answered ?? call.began), Math.max(...all, Date.parse(call.ended ?? call.began))];
  const who = (l) => l.name || l.number || l.id;
  const parts = legs.flatMap((l) => [l.from.length > 0 && heard(t('traces.says', {name: who(l)}), l.from, from, to), l.to.length > 0 && heard(t('traces.hears', {name: who(l)}), l.to, from, to)]).filter(Boolean);
  return h('section.card', h('h2', t('traces.quality')), parts.length ? [h('p.help', t('traces.qualityHelp')), h('div.directions', parts)] : h('p.muted', t('traces.noQuality')));
}

// one shows a call.
async function one(content, id, signal) {
  const about = (part) => get(`/calls/${encodeURIComponent(id)}/${part}`);
  const [trace, said, quality] = await Promise.all(['trace', 'messages', 'quality'].map(about));
  if (signal.aborted) return;
  const {call} = trace;
  fill(content, h('div.card-head', h('h2', {tabindex: '-1'}, `${caller(call)} → ${call.to}`), h('div.actions', h('a.button.plain', {href: `/call-traces${location.search}`}, t('traces.all')),
    !call.ended && button('plain', t('traces.reload'), () => one(content, id, signal), {icon: 'refresh'}))),
  decided(trace), wire(id, said), sound(quality, call));
  content.querySelector('h2').focus({preventScroll: true});
}

// many lists the calls.
async function many(content, signal) {
  const input = h('input', {type: 'search', inputmode: 'tel', id: uid(), maxlength: 32, value: new URLSearchParams(location.search).get('number') ?? '', oninput: () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      content.dispatchEvent(new CustomEvent('query', {bubbles: true, detail: {search: digits() && `?number=${encodeURIComponent(digits())}`, replace: true}}));
      attempt(reload);
    }, 250);
  }});
  const digits = () => input.value.replace(/[^0-9*#+]/g, '');
  const list = h('div.content');
  let timer = 0;
  let reload = () => {};
  reload = await older({
    box: list, signal, resource: '/call-traces', number: (c) => encodeURIComponent(c.id), empty: t('traces.empty'), draw: row,
    query: () => digits() && `number=${encodeURIComponent(digits())}&`,
  });
  if (signal.aborted) return;
  fill(content, h('div.filters', h('div.row', h('label', {for: input.id}, t('traces.number')), input)), list);
  ticking(list, signal);
  live.follow(signal, (kind) => { // who reads in the list is left in peace
    if (kind !== 'call' || list.querySelectorAll('.trace').length > 30 || list.contains(document.activeElement)) return;
    clearTimeout(timer);
    timer = setTimeout(() => reload().catch(() => {}), 1000); // a lost connection has its banner
  });
}

export default ({content, entry, signal}) => (entry ? one(content, entry, signal) : many(content, signal));
