// Journals: calls in, out and missed, newest first. Of others one can only look at them.

import {h, arrange, fill, icon, button, styles, uid} from '../dom.js';
import {t, when} from '../text.js';
import {span} from '../time.js';
import {call} from '../api.js';
import {live} from '../live.js';
import {callButton} from '../dial.js';
import {tabs} from '../tabs.js';
import {choices} from '../refs.js';
import {attempt, mayDelete, toast} from '../dialog.js';

await styles('journal');

const page = 30;
const most = 200; // that the device gives at once
const remembered = 86_400_000; // ms for which the device remembers how it decided
const kinds = {all: {}, in: {direction: 'in'}, out: {direction: 'out'}, missed: {result: 'missed'}};

// called is what people call the other side of a call.
const called = (e) => e.name || e.number || t('calls.hidden');

// asked reads from the address what is asked for.
function asked() {
  const q = new URLSearchParams(location.search);
  return {show: q.get('show') in kinds ? q.get('show') : 'all', name: q.get('name') ?? '', number: q.get('number') ?? '', user: q.get('user') ?? ''};
}

class Journal {
  #entries = [];
  #total = 0;
  #rows = new Map(); // id => {el, text}
  #fresh = new Set(); // missed calls that were new when this screen first showed them
  #asked = 0;
  #query = asked();
  #timer = 0;

  // people, when given, is a select of the users whose journals are looked at.
  constructor({content, signal, session}, people) {
    Object.assign(this, {signal, session, people});
    this.bar = h('div');
    this.count = h('p.list-count', {role: 'status'});
    this.list = h('ul.calls');
    this.foot = h('div.after');
    this.panel = h('div.content', {role: 'tabpanel', id: uid(), 'aria-label': t('journal.title')}, this.list, this.foot);
    this.empties = h('div');
    this.fields = ['name', 'number'].map((key) => this.#field(key));
    if (people) {
      people.value = this.#query.user;
      people.addEventListener('change', () => this.#ask({user: people.value}));
      content.append(h('div.row.whose', h('label', {for: people.id}, t('journal.whose')), people));
    }
    content.append(this.bar, h('div.list-tools', this.fields.map((f) => f.el), this.count), this.panel, this.empties);
    document.addEventListener('address', () => {
      this.#query = asked();
      if (people) people.value = this.#query.user;
      for (const f of this.fields) if (document.activeElement !== f.input) f.input.value = this.#query[f.key];
      attempt(() => this.load());
    }, {signal});
    if (!people) live.keep(signal, ['journal'], () => this.load(Math.max(page, this.#entries.length)));
    document.addEventListener('visibilitychange', () => this.#seen(), {signal});
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  #field(key) {
    const input = h('input', {type: 'search', id: uid(), 'aria-label': t(`list.${key}`), placeholder: t(`list.${key}`), value: this.#query[key], oninput: () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#ask(Object.fromEntries(this.fields.map((f) => [f.key, f.input.value.trim()])), true), 200);
    }});
    return {key, input, el: h('div.search', icon(key === 'name' ? 'search' : 'phone'), input)};
  }

  // ask shows something else; replace leaves no entry in the browser's history.
  #ask(change, replace) {
    Object.assign(this.#query, change);
    const {show, ...texts} = this.#query;
    const q = new URLSearchParams(Object.entries({show: show === 'all' ? '' : show, ...texts}).filter(([, v]) => v));
    this.list.dispatchEvent(new CustomEvent('query', {bubbles: true, detail: {search: q.size ? `?${q}` : '', replace}}));
    this.#tabs();
    attempt(() => this.load());
  }

  #tabs() {
    fill(this.bar, tabs(t('journal.title'), Object.keys(kinds).map((id) => ({id, text: t(`journal.${id}`)})), this.#query.show, (show) => {
      this.#ask({show});
      this.bar.querySelector('[aria-selected=true]').focus();
    }));
    for (const tab of this.bar.querySelectorAll('[role=tab]')) tab.setAttribute('aria-controls', this.panel.id);
  }

  // load asks for the newest n entries, or for n that are older than those shown.
  async load(n = page, before = 0) {
    const mine = ++this.#asked;
    const {show, name, number, user} = this.#query;
    if (this.people && !user) return this.#choose();
    const q = new URLSearchParams({...kinds[show], limit: Math.min(n, most)});
    for (const [key, value] of Object.entries({name, number, before: before || ''})) if (value) q.set(key, value);
    const {body, total} = await call('GET', `${this.people ? `/users/${encodeURIComponent(user)}/journal` : '/profile/journal'}?${q}`);
    if (this.signal.aborted || mine !== this.#asked) return undefined;
    const older = n > most && body.length === most ? this.#entries.filter((e) => e.id < body.at(-1).id) : [];
    this.#entries = before ? [...this.#entries, ...body] : [...body, ...older];
    this.#total = total;
    for (const e of body) if (e.new && !this.people) this.#fresh.add(e.id);
    this.#draw();
    return this.#seen();
  }

  // choose asks for a user.
  #choose() {
    this.#entries = [];
    this.#total = 0;
    this.#draw();
    fill(this.foot, h('p.muted', t('journal.choose')));
  }

  // seen tells the device that the missed calls are looked at, while somebody can look.
  async #seen() {
    const {show, name, number} = this.#query;
    if (this.people || document.hidden || show in {in: 1, out: 1} || name || number || !this.#entries.some((e) => e.new)) return;
    const [{id}] = this.#entries;
    for (const e of this.#entries) e.new = false;
    await call('POST', '/profile/journal/seen', {body: {upTo: id}, quiet: true}).catch(() => {}); // they stay new
  }

  // draw keeps the element of each entry, so that the focus stays where it is.
  #draw() {
    this.#tabs();
    const old = this.#rows;
    this.#rows = new Map(this.#entries.map((e) => {
      const text = JSON.stringify([document.documentElement.lang, this.#fresh.has(e.id), e.result, e.number, e.name]);
      const had = old.get(e.id);
      return [e.id, had?.text === text ? had : {text, el: this.#row(e)}];
    }));
    const now = [...this.#rows.values()].map((r) => r.el);
    arrange(this.list, now);
    const {name, number} = this.#query;
    this.list.hidden = !now.length;
    this.count.textContent = t('journal.count', {n: this.#total});
    const oldest = this.#entries.at(-1);
    fill(this.foot, !now.length && h('p.muted', t(name || number ? 'list.noMatch' : 'journal.empty')),
      now.length < this.#total && button('plain', t('list.older'), () => attempt(() => this.load(page, oldest.id))));
    fill(this.empties, now.length > 0 && !this.people && button('danger-quiet', t('journal.deleteAll'), () => this.#deleteAll(), {icon: 'trash'}));
  }

  #row(e) {
    const fresh = this.#fresh.has(e.id);
    const name = called(e);
    return h('li', {class: `call ${e.result} ${fresh ? 'fresh' : ''}`}, icon(e.direction),
      h('div.with', h('strong', name), h('span.muted', [e.name && e.number, e.group].filter(Boolean).join(' · '))),
      h('div.what', h('span', t(`journal.${e.direction}`), ' · ', h('span.became', t(`value.result.${e.result}`)), fresh && h('span.tag', t('journal.new'))),
        h('span.muted', when(e.time), e.duration > 0 && ` · ${span(e.duration)}`)),
      h('div.acts', why(this.session, e), !this.people && this.#acts(e, name)));
  }

  #acts(e, name) {
    const may = this.session.modules;
    const add = new URLSearchParams({office: e.number, lastName: e.name});
    return [callButton(this.session, e.number, name),
      e.number && may.includes('contacts-private') && h('a.button.icon', {href: `/private-contacts/new?${add}`, 'aria-label': t('journal.add', {name}), title: t('journal.add', {name})}, icon('person')),
      button('icon', t('journal.delete', {name}), () => this.#delete(e), {icon: 'trash'})];
  }

  async #delete(e) {
    if (!(await mayDelete(t('journal.deleteTitle', {name: called(e)}), t('journal.deleteText')))) return;
    await attempt(async () => {
      await call('DELETE', `/profile/journal/${e.id}`);
      await this.load(Math.max(page, this.#entries.length));
      (this.list.querySelector('button') ?? this.fields[0].input).focus();
    });
  }

  async #deleteAll() {
    await attempt(async () => {
      const {body: [newest]} = await call('GET', '/profile/journal?limit=1');
      if (!newest || !(await mayDelete(t('journal.deleteAllTitle'), t('journal.deleteAllText')))) return;
      await call('DELETE', `/profile/journal?upTo=${newest.id}`);
      toast(t('journal.deleted'));
      await this.load();
    });
  }
}

// why leads to what the device decided, while it remembers that.
const why = (session, e) => session.modules.includes('call-traces') && live.now() - Date.parse(e.time) < remembered
  && h('a.button.icon', {href: `/call-traces/${encodeURIComponent(e.call)}`, 'aria-label': t('journal.why', {name: called(e)}), title: t('journal.why', {name: called(e)})}, icon('search'));

// own is the own journal.
export const own = (context) => new Journal(context).load();

// ofUsers are the journals of all users. The device keeps who looks at them.
export async function ofUsers(context) {
  const people = h('select', {id: uid()}, h('option', {value: ''}, t('journal.nobody')), (await choices('users')).map((u) => h('option', {value: u.id}, `${u.label} ${u.detail}`)));
  await new Journal(context, people).load();
}
