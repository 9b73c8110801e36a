// System status > Call records: every call with its duration and outcome.

import {h, arrange, fill, facts, icon, button, styles, uid} from '../dom.js';
import {s} from '../svg.js';
import {t, when, number, message} from '../text.js';
import {span, dayStart, daily, asked} from '../time.js';
import {call, get} from '../api.js';
import {live} from '../live.js';
import {choices} from '../refs.js';
import {word} from '../schema.js';
import {attempt, confirm, toast} from '../dialog.js';

await styles('log');
await styles('records');

const page = 50;
const most = 200; // that the device gives at once
const patience = 6; // parts without a match, before people are asked whether to go on
const remembered = 86_400_000; // ms for which the device remembers how it decided

const who = (p) => p.name || p.number || t('calls.hidden');
const follows = (a, b) => Date.parse(a.began) < Date.parse(b.began) || (a.began === b.began && a.id < b.id);

// inputs are what the list is narrowed down by; their names are those of the API.
const inputs = (gateways) => {
  const select = (name, values) => h('select', h('option', {value: ''}, t('records.any')), values.map((v) => h('option', {value: v}, word(name, v))));
  const search = () => h('input', {type: 'search', maxlength: 64, spellcheck: 'false'});
  const seconds = () => h('input', {type: 'number', min: 0, max: 10_000_000, inputmode: 'numeric'});
  return {
    since: h('input', daily), until: h('input', daily), caller: search(), target: search(), minSeconds: seconds(), maxSeconds: seconds(),
    result: select('result', ['answered', 'noAnswer', 'busy', 'failed']), direction: select('direction', ['in', 'out', 'internal']),
    ...gateways.length && {gateway: h('select', h('option', {value: ''}, t('records.any')), gateways.map((g) => h('option', {value: g.id}, g.label)))},
  };
};

class Records {
  #records = [];
  #next = '';
  #rows = new Map(); // id => {el, text}
  #asked = 0;
  #timers = {};
  #took = 0; // ms that the device took to answer

  constructor({content, signal, session}, gateways) {
    Object.assign(this, {content, signal, session});
    this.inputs = inputs(gateways);
    this.sums = h('dl.sums');
    this.note = h('p.muted', {role: 'status'});
    this.body = h('tbody');
    this.list = h('div.table-frame.records', h('table', h('caption.hidden', t('records.title')),
      h('thead', h('tr', ['began', 'caller', 'target', 'talk', 'result'].map((c) => h('th', {scope: 'col', class: c === 'talk' && 'number'}, h('span', t(`records.${c}`)))))), this.body));
    this.foot = h('div.older');
    const form = (name, values) => h('select', {'aria-label': t(`csv.${name}`), onchange: () => this.#link()}, values.map(([v, text]) => h('option', {value: v}, text)));
    this.form = {separator: form('separator', ['comma', 'semicolon', 'tab'].map((v) => [v, t(`csv.${v}`)])), encoding: form('encoding', [['utf-8', 'UTF-8'], ['iso-8859-1', 'ISO-8859-1']]), header: form('header', [['true', t('csv.withHeader')], ['false', t('csv.withoutHeader')]])};
    this.file = h('a.button.plain', {download: ''}, icon('download'), h('span', t('records.export')));
    this.kept = h('p.help');
    const rows = Object.entries(this.inputs).map(([name, el]) => {
      el.id = uid();
      el.addEventListener('input', () => this.#soon('ask', 300, () => this.#ask()));
      return h('div.row', h('label', {for: el.id}, t(`records.by.${name}`)), el);
    });
    const clear = button('plain', t('list.clear'), () => {
      for (const i of Object.values(this.inputs)) i.value = '';
      this.#ask();
    }, {icon: 'close'});
    content.append(this.sums, h('div.filters', rows, clear), h('p.help', t('records.help')),
      h('div.card-head', this.note, h('div.export', Object.values(this.form), this.file)), this.list, this.foot, this.#going());
    this.#read();
    document.addEventListener('address', () => {
      if (location.pathname !== '/call-records') return;
      this.#read();
      attempt(() => this.load());
    }, {signal});
    live.follow(signal, (kind) => {
      if (kind === 'records' || kind === 'all') this.#soon('live', Math.max(1000, 10 * this.#took), () => this.load(Math.max(page, this.#records.length)).catch(() => {})); // a lost connection has its banner
    });
    signal.addEventListener('abort', () => Object.values(this.#timers).forEach(clearTimeout));
  }

  // soon does something once, a time after it was first asked for; typing begins the time anew.
  #soon(name, ms, what) {
    if (name === 'live' && this.#timers[name]) return;
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(() => {
      this.#timers[name] = 0;
      what();
    }, ms);
  }

  // read takes from the address what is asked for.
  #read() {
    const q = new URLSearchParams(location.search);
    for (const [name, el] of Object.entries(this.inputs)) if (document.activeElement !== el) el.value = q.get(name) ?? '';
  }

  #ask() {
    const q = new URLSearchParams(Object.entries(this.inputs).map(([name, el]) => [name, asked(el)]).filter(([, v]) => v));
    for (const el of Object.values(this.inputs)) el.toggleAttribute('aria-invalid', !el.validity.valid);
    this.content.dispatchEvent(new CustomEvent('query', {bubbles: true, detail: {search: q.size ? `?${q}` : '', replace: true}}));
    attempt(() => this.load());
  }

  // query is what the API is asked.
  #query() {
    const q = new URLSearchParams();
    for (const [name, el] of Object.entries(this.inputs)) if (asked(el)) q.set(name, asked(el));
    if (q.has('since')) q.set('since', dayStart(q.get('since')));
    if (q.has('until')) q.set('until', dayStart(q.get('until'), 1)); // the whole of that day
    return q;
  }

  // link leads to the file of what is asked for.
  #link() {
    this.file.href = `/api/v1/call-records/export?${new URLSearchParams([...this.#query(), ...Object.entries(this.form).map(([name, el]) => [name, el.value])])}`;
  }

  // load asks for the newest n records, or for those that follow a place.
  async load(n = page, after = '') {
    const mine = ++this.#asked;
    const begun = performance.now();
    const q = this.#query();
    const sums = after ? null : get(`/call-records/totals?${q}`);
    this.#link();
    let records = [];
    let next = after;
    for (let i = 0; i < patience && !records.length && (next || !i); i++) {
      ({records, next} = await get(`/call-records?${new URLSearchParams([...q, ['limit', Math.min(n, most)], ['after', next]])}`));
      if (this.signal.aborted || mine !== this.#asked) return;
    }
    const totals = await sums;
    this.#took = performance.now() - begun;
    if (this.signal.aborted || mine !== this.#asked) return;
    let rest = !after && n > most && records.length === most ? this.#records.filter((r) => follows(r, records.at(-1))) : [];
    if (totals && !totals.since && records.length + rest.length > totals.calls) rest = []; // the oldest were deleted
    if (!rest.length) this.#next = next;
    this.#records = [...after ? this.#records : [], ...records, ...rest];
    if (totals) this.#sum(totals);
    this.#draw();
  }

  #sum(sums) {
    const rows = [['calls', number(sums.calls)], ['total', span(sums.total)], ['average', span(sums.average)], ['totalWithRing', span(sums.totalWithRing)]];
    fill(this.sums, rows.map(([key, value]) => h('div', h('dt', t(`records.${key}`)), h('dd', value))));
    this.note.textContent = [sums.deleting && t('records.deleting'), sums.since && t('records.onlySince', {time: when(sums.since)})].filter(Boolean).join(' ');
    fill(this.kept, t('records.kept', {days: number(sums.keptDays), calls: number(sums.keptCalls)}), ' ',
      this.session.modules.includes('system-settings') && h('a', {href: '/settings?field=retention.recordDays'}, t('records.keep')));
  }

  // draw keeps the element of each record, so that the focus stays where it is.
  #draw() {
    const old = this.#rows;
    this.#rows = new Map(this.#records.map((r) => {
      const text = `${document.documentElement.lang} ${r.began}`;
      const had = old.get(r.id);
      return [r.id, had?.text === text ? had : {text, el: this.#row(r)}];
    }));
    arrange(this.body, [...this.#rows.values()].map((r) => r.el));
    const some = this.#records.length > 0;
    this.list.hidden = !some;
    fill(this.foot, !some && h('p.muted', t(this.#query().size ? 'records.noMatch' : 'records.empty')),
      this.#next && button('plain', t(some ? 'list.older' : 'records.further'), () => attempt(() => this.load(page, this.#next))));
  }

  #row(r) {
    const to = r.target.number ? r.target : {number: r.dialled};
    return h('tr', h('td', h('a', {href: `/call-records/${r.id}${location.search}`}, when(r.began)), h('span.muted', word('direction', r.direction))),
      h('td.from', who(r.caller), ' ', r.caller.name && h('span.muted', r.caller.number)),
      h('td.to', who(to), ' ', h('span.muted', [to.name && to.number, r.target.number && r.dialled !== r.target.number && t('records.dialledAs', {number: r.dialled})].filter(Boolean).join(' · '))),
      h('td.number', r.result === 'answered' ? span(r.talk) : '–', ' ', h('span.muted', t('records.rang', {time: span(r.ring)}))),
      h('td', {class: r.result}, word('result', r.result)));
  }

  // going is what deletes records.
  #going() {
    const before = h('input', {...daily, id: uid()});
    return h('section.card', h('h2', t('records.deleteHead')), this.kept, h('div.going', h('div.row', h('label', {for: before.id}, t('records.before')), before),
      button('danger-quiet', t('records.delete'), () => attempt(async () => {
        if (!asked(before)) {
          before.focus();
          toast(t('records.choose'), 'bad');
          return;
        }
        const time = dayStart(before.value);
        const {calls} = await get(`/call-records/totals?until=${encodeURIComponent(time)}`);
        if (!calls) {
          toast(t('records.none'));
        } else if (await confirm({title: t('records.deleteTitle', {n: calls, date: before.value}), text: t('records.deleteText'), action: t('entry.deleteAction'), danger: true, typed: before.value})) {
          await call('DELETE', `/call-records?before=${encodeURIComponent(time)}`);
          toast(t('records.deleted'));
          await this.load();
        }
      }), {icon: 'trash'})));
  }
}

// line names a gateway of a record.
const line = (r, id) => r.gateways.find((g) => g.id === id)?.name ?? t('records.goneGateway');

// leg draws a leg against the time of the whole call.
function leg(r, l, i) {
  const at = (time) => Date.parse(time);
  const [from, all] = [at(r.began), Math.max(1, at(r.ended) - at(r.began))];
  const bar = (kind, a, b) => s('rect', {class: kind, x: 600 * (a - from) / all, y: 1, width: Math.max(2, 600 * (b - a) / all), height: 12});
  const answered = l.answered ? at(l.answered) : 0;
  const rang = ((answered || at(l.ended)) - at(l.began)) / 1000;
  const said = [t('records.after', {time: span((at(l.began) - from) / 1000)}), t('records.rang', {time: span(rang)}), answered && t('records.spoke', {time: span((at(l.ended) - answered) / 1000)})].filter(Boolean).join(' · ');
  return h('li.leg', h('div', h('strong', who(l.party)), h('span.muted', [l.party.name && l.party.number, l.gateway && line(r, l.gateway)].filter(Boolean).join(' · '))),
    h('div', s('svg', {viewBox: '0 0 600 14', preserveAspectRatio: 'none', 'aria-hidden': 'true'}, bar('rang', at(l.began), answered || at(l.ended)), answered && bar('spoke', answered, at(l.ended))), h('span.muted', said)),
    h('div', l.act && h('span.tag', word('act', l.act)), ' ', h('span', message(r.legWhy[i].template, r.legWhy[i].args))));
}

// one shows a record with its legs.
async function one({content, signal, session}, id) {
  const r = await get(`/call-records/${encodeURIComponent(id)}`);
  if (signal.aborted) return;
  const party = (p) => [p.name, p.number, p.e164 !== p.number && p.e164].filter(Boolean).join(' · ') || t('calls.hidden');
  const may = session.modules.includes('call-traces') && live.now() - Date.parse(r.began) < remembered;
  fill(content, h('div.card-head', h('h2', {tabindex: '-1'}, `${who(r.caller)} → ${who(r.target.number ? r.target : {number: r.dialled})}`), h('div.actions',
    may && h('a.button.plain', {href: `/call-traces/${encodeURIComponent(r.call)}`}, icon('search'), h('span', t('records.why'))), h('a.button.plain', {href: `/call-records${location.search}`}, t('records.all')))),
  h('section.card', facts([
    [t('records.began'), `${when(r.began)}${r.estimated ? ` (${t('records.estimated')})` : ''}`], [t('records.direction'), word('direction', r.direction)],
    [t('records.caller'), `${party(r.caller)}${r.hidden ? ` (${t('records.hidden')})` : ''}`], [t('records.dialled'), [r.dialled, r.dialledE164 !== r.dialled && r.dialledE164].filter(Boolean).join(' · ')], r.target.number && [t('records.target'), party(r.target)],
    r.gatewayIn && [t('records.gatewayIn'), line(r, r.gatewayIn)], r.gatewayOut && [t('records.gatewayOut'), `${line(r, r.gatewayOut)} (${word('toll', r.toll)})`],
    [t('records.ring'), span(r.ring)], r.result === 'answered' && [t('records.talk'), span(r.talk)],
    [t('records.result'), word('result', r.result)], [t('records.cause'), message(r.why.template, r.why.args)]])),
  h('section.card', h('h2', t('records.legs')), h('ol.legs', (r.legs ?? []).map((l, i) => leg(r, l, i)))));
  content.querySelector('h2').focus({preventScroll: true});
}

export default async function show(context) {
  if (context.entry) await one(context, context.entry);
  else await new Records(context, await choices('gateways')).load();
}
