// A list: sortable titles, search by beginning, rows that open an entry.

import {h, put, icon, button} from './dom.js';
import {t} from './text.js';

// List shows rows. A column is {key, label, cell(row), sort(row), class}; rows
// need a stable id. open(row) gives the address of the entry, begins(row) the
// texts that the search compares.
export class List extends HTMLElement {
  #rows = [];
  #sort;
  #down = false;
  #body;
  #count;
  #query = '';
  #heads = new Map();

  constructor({columns, open, begins, searchLabel, empty, actions, sort, name}) {
    super();
    Object.assign(this, {columns, open, begins, searchLabel, empty, actions, name});
    this.#sort = sort ?? columns[0].key;
  }

  connectedCallback() {
    if (this.#body) return;
    this.#count = h('p', {class: 'list-count', role: 'status'});
    this.#body = h('tbody');
    if (this.begins) {
      const input = h('input', {type: 'search', 'aria-label': this.searchLabel, placeholder: this.searchLabel, oninput: () => {
        this.#query = input.value.trim().toLocaleLowerCase();
        this.#draw();
      }});
      this.append(h('div', {class: 'list-tools'}, h('div', {class: 'search'}, icon('search'), input), this.#count));
    }
    const head = h('tr', {}, this.columns.map((c) => {
      const th = h('th', {scope: 'col', class: c.class});
      this.#heads.set(c.key, th);
      if (!c.sort) return put(th, h('span', {class: c.hidden && 'hidden'}, c.label));
      return put(th, h('button', {type: 'button', class: 'sort', onclick: () => {
        this.#down = this.#sort === c.key && !this.#down;
        this.#sort = c.key;
        this.#draw();
      }}, h('span', {class: c.hidden && 'hidden'}, c.label), icon('down')));
    }), this.actions && h('th', {class: 'row-actions'}, h('span', {class: 'hidden'}, t('list.actions'))));
    this.append(h('div', {class: 'table-frame'}, h('table', {'aria-label': this.name}, h('thead', {}, head), this.#body)));
    this.#draw();
  }

  set rows(rows) {
    this.#rows = rows;
    if (this.#body) this.#draw();
  }

  get rows() {
    return this.#rows;
  }

  #shown() {
    const column = this.columns.find((c) => c.key === this.#sort);
    let rows = this.#rows;
    if (this.#query) {
      rows = rows.filter((r) => this.begins(r).some((x) => x.toLocaleLowerCase().startsWith(this.#query)));
    }
    if (!column?.sort) return rows;
    const order = new Intl.Collator(document.documentElement.lang, {numeric: true}).compare;
    const sorted = rows.toSorted((a, b) => order(String(column.sort(a)), String(column.sort(b))));
    return this.#down ? sorted.reverse() : sorted;
  }

  // draw keeps the element of each row, so that the focus stays where it is.
  #draw() {
    for (const c of this.columns) {
      const th = this.#heads.get(c.key);
      if (!c.sort) continue;
      th.setAttribute('aria-sort', c.key !== this.#sort ? 'none' : this.#down ? 'descending' : 'ascending');
    }
    const rows = this.#shown();
    const old = new Map([...this.#body.children].map((tr) => [tr.dataset.id, tr]));
    const now = rows.map((row) => {
      const tr = old.get(row.id) ?? h('tr', {'data-id': row.id});
      this.#fill(tr, row);
      return tr;
    });
    if (rows.length === 0) {
      const text = this.#query ? t('list.noMatch') : this.empty;
      now.push(h('tr', {class: 'empty'}, h('td', {colspan: this.columns.length + (this.actions ? 1 : 0)}, text)));
    }
    if (now.length !== this.#body.children.length || now.some((tr, i) => tr !== this.#body.children[i])) {
      const focused = document.activeElement;
      this.#body.replaceChildren(...now);
      if (focused?.isConnected && this.contains(focused)) focused.focus();
    }
    this.#count.textContent = this.#query ? t('list.some', {n: rows.length, all: this.#rows.length}) : t('list.all', {n: rows.length});
  }

  #fill(tr, row) {
    const signature = JSON.stringify(this.columns.map((c) => [c.text ? c.text(row) : c.sort?.(row)]));
    if (tr.dataset.signature === signature) return;
    tr.dataset.signature = signature;
    tr.replaceChildren(...this.columns.map((c) => h('td', {class: c.class}, c.cell(row))));
    if (this.actions) {
      tr.append(h('td', {class: 'row-actions'}, this.actions(row).map((a) => button('icon', a.label, (e) => {
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

customElements.define('g-list', List);
