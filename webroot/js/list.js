// A list: sortable titles, filters, pages, rows that open an entry.

import {h, arrange, fill, icon, button, uid} from './dom.js';
import {t, compare, number} from './text.js';
import {label} from './schema.js';
import {attempt} from './dialog.js';

const sizes = [20, 50, 100];
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

// folded is a text without case and accents: Ä stands at A.
const folded = (s) => String(s ?? '').normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
const digits = (s) => String(s ?? '').replace(/[^0-9*#+]/g, '');

// List shows rows, each with a stable id. A column is {key, label, sort(row), cell(row), text(row),
// class, hidden}: by itself it has the title of its key, beginning with the schemas named like of,
// is sorted by the value of its key, and shows what it is sorted by. text is what a cell follows from,
// when that is more. sort: false leaves it unsorted.
//
// names(row) and numbers(row) give the texts that the fields Name and Number
// compare by their beginning, letters(row) those of the letter bar. source
// (query), with {name, number, letter, sort, down, offset, limit}, returns
// {rows, total}: then the server filters, sorts and pages. With keep, a name,
// the page size is remembered, and filter and page stand in the address.
// actions(row) are {icon, label, run}; empty is a text, emptyAction a node.
export class List extends HTMLElement {
  #rows = [];
  #total = 0;
  #query;
  #body;
  #count;
  #foot;
  #heads = new Map();
  #inputs = {};
  #letters = null;
  #asked = 0;
  #timer = 0;
  #loaded = false; // the rows are known
  #slow = 0; // timer: until it shows that it waits for rows

  constructor(options) {
    super();
    Object.assign(this, options);
    this.columns = options.columns.map((c) => {
      const value = (row) => row[c.key];
      return {sort: value, cell: c.sort || value, ...c, label: c.label ?? label(c.key, this.of)};
    });
    this.first = this.sort ?? options.columns[0].key;
    this.filters = Boolean(this.names || this.numbers || this.letters);
    this.#read();
  }

  connectedCallback() {
    if (this.keep) document.addEventListener('address', this.moved = () => {
      const before = JSON.stringify(this.#query);
      this.#read();
      if (JSON.stringify(this.#query) !== before) this.#again();
    });
    if (this.#body) return;
    this.#count = h('p.list-count', {role: 'status'});
    this.#body = h('tbody');
    this.#foot = h('div.list-foot');
    if (this.filters || this.source) this.append(this.#tools());
    if (this.letters) this.append((this.#letters = this.#bar()));
    const head = h('tr', this.columns.map((c) => this.#head(c)),
      this.actions && h('th.row-actions', h('span.hidden', t('list.actions'))));
    this.append(h('div.table-frame', h('table', {'aria-label': this.name}, h('thead', head), this.#body)), this.#foot);
    this.#again();
  }

  disconnectedCallback() {
    document.removeEventListener('address', this.moved);
    clearTimeout(this.#timer);
    clearTimeout(this.#slow);
  }

  set rows(rows) {
    this.#rows = rows;
    this.#loaded = true;
    if (this.#body) this.#draw();
  }

  get rows() {
    return this.#rows;
  }

  // reload asks the source anew.
  async reload() {
    if (!this.source || !this.#body) return;
    const asked = ++this.#asked;
    const {sort, down, page, size, name, number: dialled, letter} = this.#query;
    try {
      const {rows, total} = await this.source({name, number: dialled, letter, sort, down, offset: page * size, limit: size});
      if (asked !== this.#asked) return;
      if (total && page * size >= total) { // there are fewer by now
        this.#set({page: Math.ceil(total / size) - 1}, true);
        return;
      }
      this.#total = total;
      this.rows = rows;
    } catch (err) {
      if (asked === this.#asked && this.#loaded) this.#draw(); // what it had
      else if (asked === this.#asked) this.#rest();
      throw err;
    }
  }

  #read() {
    const q = new URLSearchParams(this.keep ? location.search : '');
    const size = Number(q.get('size') ?? remembered(this.keep));
    this.#query = {
      name: q.get('name') ?? '', number: q.get('number') ?? '', letter: q.get('letter') ?? '', down: q.has('down'),
      sort: this.columns.some((c) => c.key === q.get('sort') && c.sort) ? q.get('sort') : this.first,
      page: Math.max(0, (Number(q.get('page')) || 1) - 1), size: sizes.includes(size) ? size : 50,
    };
  }

  // again shows what the address asks for.
  #again() {
    this.#read();
    for (const [key, input] of Object.entries(this.#inputs)) if (document.activeElement !== input) input.value = this.#query[key];
    this.#marks();
    if (this.source) this.#ask();
    else this.#draw();
  }

  #ask() {
    this.#wait();
    attempt(() => this.reload());
  }

  #rest() {
    clearTimeout(this.#slow);
    this.#body.parentElement.removeAttribute('aria-busy');
    for (const tr of this.#body.querySelectorAll('.grey')) tr.remove();
  }

  // wait shows grey rows when the answer takes its time.
  #wait() {
    clearTimeout(this.#slow);
    this.#slow = setTimeout(() => {
      this.#body.parentElement.setAttribute('aria-busy', 'true');
      const grey = () => h('tr.grey', this.columns.map((c) => h('td', {class: c.class}, h('span'))), this.actions && h('td'));
      fill(this.#body, Array.from({length: 8}, grey));
    }, 300);
  }

  // set changes the query; replace leaves no entry in the browser's history.
  #set(change, replace) {
    Object.assign(this.#query, {page: 0}, change);
    if (this.keep) {
      const x = this.#query;
      const q = new URLSearchParams(location.search);
      const write = (key, value, normal) => (value === normal ? q.delete(key) : q.set(key, value));
      for (const key of ['name', 'number', 'letter']) write(key, x[key], '');
      write('sort', x.sort, this.first);
      write('down', String(x.down), 'false');
      write('page', x.page + 1, 1);
      const search = String(q) && `?${q}`;
      this.dispatchEvent(new CustomEvent('query', {bubbles: true, detail: {search, replace}}));
    }
    clearTimeout(this.#timer);
    this.#marks();
    if (!this.source) this.#draw();
    else if (replace) this.#timer = setTimeout(() => this.#ask(), 200);
    else this.#ask();
  }

  #tools() {
    const field = (key, label, sign) => {
      const input = h('input', {type: 'search', id: uid(), 'aria-label': label, placeholder: label, value: this.#query[key],
        oninput: () => this.#set({[key]: input.value.trim()}, true)});
      this.#inputs[key] = input;
      return h('div.search', icon(sign), input);
    };
    return h('div.list-tools',
      this.names && field('name', t('list.name'), 'search'), this.numbers && field('number', t('list.number'), 'phone'),
      this.filters && button('plain', t('list.clear'), () => {
        for (const input of Object.values(this.#inputs)) input.value = '';
        this.#set({name: '', number: '', letter: ''});
      }, {class: 'button plain clear', icon: 'close'}),
      this.load && button('icon', t('list.reload'), () => this.load(), {icon: 'refresh'}), this.#count);
  }

  #bar() {
    const letter = (l, label) => button('letter', label, () => this.#set({letter: l}), {'data-letter': l});
    return h('div.letters', {role: 'group', 'aria-label': t('list.letters')}, letter('', t('list.allLetters')), [...alphabet].map((l) => letter(l, l)));
  }

  #head(c) {
    const th = h('th', {scope: 'col', class: c.class});
    this.#heads.set(c.key, th);
    const label = h('span', {class: c.hidden && 'hidden'}, c.label);
    th.append(c.sort ? h('button.sort', {type: 'button', onclick: () => {
      this.#set({down: this.#query.sort === c.key && !this.#query.down, sort: c.key});
    }}, label, icon('down')) : label);
    return th;
  }

  // matching are the rows that the filters leave, in order.
  #matching() {
    const {name, number: dialled, letter, sort, down} = this.#query;
    const begins = (texts, by, what) => texts.some((x) => by(x).startsWith(by(what)));
    let rows = this.#rows;
    if (name && this.names) rows = rows.filter((r) => begins(this.names(r), folded, name));
    if (dialled && this.numbers) rows = rows.filter((r) => begins(this.numbers(r), digits, dialled));
    if (letter && this.letters) rows = rows.filter((r) => begins(this.letters(r), folded, letter));
    const column = this.columns.find((c) => c.key === sort);
    if (!column?.sort) return rows;
    const sorted = rows.toSorted((a, b) => compare(column.sort(a), column.sort(b)));
    return down ? sorted.reverse() : sorted;
  }

  // marks shows what is asked for.
  #marks() {
    const {sort, down, name, number: dialled, letter} = this.#query;
    for (const c of this.columns.filter((x) => x.sort)) {
      this.#heads.get(c.key).setAttribute('aria-sort', c.key !== sort ? 'none' : down ? 'descending' : 'ascending');
    }
    for (const b of this.#letters?.children ?? []) b.setAttribute('aria-pressed', String(b.dataset.letter === letter));
    const clear = this.querySelector('.clear');
    if (clear) clear.disabled = !(name || dialled || letter);
  }

  // draw keeps the element of each row, so that the focus stays where it is.
  #draw() {
    this.#marks();
    if (!this.#loaded) {
      this.#wait();
      return;
    }
    this.#rest();
    const {name, number: dialled, letter, size} = this.#query;
    const all = this.source ? this.#rows : this.#matching();
    const total = this.source ? this.#total : all.length;
    this.#query.page = Math.min(this.#query.page, Math.max(0, Math.ceil(total / size) - 1));
    const from = this.#query.page * size;
    const rows = this.source || !this.keep ? all : all.slice(from, from + size);
    const old = new Map([...this.#body.children].map((tr) => [tr.dataset.id, tr]));
    const now = rows.map((row) => {
      const tr = old.get(String(row.id)) ?? h('tr', {'data-id': row.id});
      this.#fill(tr, row);
      return tr;
    });
    const filtered = Boolean(name || dialled || letter);
    if (rows.length === 0) {
      now.push(h('tr.empty', h('td', {colspan: this.columns.length + (this.actions ? 1 : 0)},
        h('p', filtered ? t('list.noMatch') : this.empty), !filtered && this.emptyAction)));
    }
    arrange(this.#body, now);
    const known = this.source ? total : this.#rows.length;
    this.#count.textContent = filtered && !this.source ? t('list.some', {n: total, all: known}) : t('list.all', {n: known});
    this.#pages(from, rows.length, total);
  }

  #pages(from, shown, total) {
    const {page, size} = this.#query;
    if (!this.keep || total <= sizes[0]) return this.#foot.replaceChildren();
    const step = (key, to, sign, off) => button('icon', t(key), () => {
      this.#set({page: to});
      scrollTo(0, 0);
    }, {icon: sign, disabled: off});
    const choose = h('select', {'aria-label': t('list.size'), onchange: () => {
      remember(this.keep, choose.value);
      this.#set({size: Number(choose.value)});
    }}, sizes.map((n) => h('option', {value: n}, t('list.perPage', {count: n}))));
    choose.value = size;
    return this.#foot.replaceChildren(choose, h('span.position', position(from, shown, total)),
      step('list.back', page - 1, 'left', page === 0), step('list.next', page + 1, 'right', from + shown >= total));
  }

  #fill(tr, row) {
    const signature = JSON.stringify([document.documentElement.lang, this.columns.map((c) => [(c.text || c.sort || String)(row)])]);
    if (tr.dataset.signature === signature) return;
    tr.dataset.signature = signature;
    fill(tr, this.columns.map((c) => h('td', {class: c.class}, c.cell(row))));
    if (this.actions) {
      tr.append(h('td.row-actions', this.actions(row).map((a) => button('icon', a.label, (e) => {
        e.stopPropagation();
        a.run();
      }, {icon: a.icon}))));
    }
    if (this.open) {
      tr.classList.add('opens');
      tr.onclick = (e) => {
        if (!e.target.closest('a, button')) tr.querySelector('a')?.click();
      };
    }
  }
}

// position says which part of all is shown: "21-40 of 312".
export const position = (from, shown, total) => t('list.position', {from: number(total && from + 1), to: number(from + shown), all: number(total)});

// A browser may refuse to keep anything; then the page size is the usual one.
function remembered(name) {
  try {
    return localStorage.getItem(`rows.${name}`);
  } catch {
    return null;
  }
}

function remember(name, size) {
  try {
    localStorage.setItem(`rows.${name}`, size);
  } catch { /* it is asked again next time */ }
}

customElements.define('g-list', List);
