// An ordered list: entries that are tried one after the other. They are moved by drag, and by
// buttons.

import {h, arrange, fill, icon, button, styles} from './dom.js';
import {t} from './text.js';
import {call, Problem} from './api.js';
import {label} from './schema.js';
import {attempt, toast} from './dialog.js';

await styles('order');

// Order shows rows in their order, with the columns, actions and empty texts of a List. resource is
// their path in the API, called(row) what people call one. parts(rows) returns a promise of the orders that there are,
// [{id, rows, head}]; by itself all rows are one. none() is shown when there are no orders.
export class Order extends HTMLElement {
  #rows = [];
  #parts = [];
  #trs = new Map(); // id of a row => its element
  #boxes = new Map(); // id of a part => its element
  #last = Promise.resolve(); // the move that is under way
  #drag = null; // {id, tr, body, over, after}: what is dragged, and where it would go
  #asked = 0;

  constructor(options) {
    super();
    Object.assign(this, {parts: async (rows) => [{id: '', rows}]}, options);
    this.columns = options.columns.map((c) => ({cell: (row) => row[c.key], ...c, label: c.label ?? label(c.key, this.of)}));
  }

  connectedCallback() {
    if (this.said) return;
    this.said = h('p.hidden', {role: 'status'});
    this.box = h('div.orders', {'aria-busy': 'true'});
    this.append(this.box, this.said);
  }

  get rows() {
    return this.#rows;
  }

  set rows(rows) {
    this.#rows = rows;
    this.#sort();
  }

  async #sort() {
    const asked = ++this.#asked;
    const parts = await this.parts(this.#rows);
    if (asked !== this.#asked || this.#drag) return;
    this.#parts = parts;
    this.#draw();
  }

  #draw() {
    this.box.removeAttribute('aria-busy');
    if (!this.#parts.length) {
      fill(this.box, h('div.table-frame.no-orders', this.none()));
      return;
    }
    arrange(this.box, this.#parts.map((part) => this.#part(part)));
  }

  // part keeps its element and those of its rows, so that the focus stays where it is.
  #part({id, rows, head}) {
    let box = this.#boxes.get(id);
    if (!box) {
      const titles = h('tr', h('th.narrow', h('span.hidden', t('order.place'))), this.columns.map((c) => h('th', {scope: 'col', class: c.class}, h('span', c.label))),
        h('th.row-actions', h('span.hidden', t('list.actions'))));
      this.#boxes.set(id, (box = h('section.part', h('div'), h('div.table-frame', h('table', {'aria-label': this.name}, h('thead', titles), h('tbody'))))));
    }
    const focused = document.activeElement;
    fill(box.firstChild, head);
    const body = box.querySelector('tbody');
    const shown = rows.map((row, i) => this.#row(row, i, rows));
    arrange(body, shown.length ? shown : [h('tr.empty', h('td', {colspan: this.columns.length + 2}, h('p', this.empty), this.emptyAction?.cloneNode(true)))]);
    if (focused?.disabled) focused.closest('tr')?.querySelector('[data-move]:enabled')?.focus();
    return box;
  }

  #row(row, i, rows) {
    const name = this.called(row);
    const signature = JSON.stringify([document.documentElement.lang, rows.length > 1, this.columns.map((c) => (c.text ?? c.cell)(row))]);
    let tr = this.#trs.get(row.id);
    if (tr?.dataset.signature !== signature) {
      tr ??= h('tr', {'data-id': row.id});
      this.#trs.set(row.id, tr);
      tr.dataset.signature = signature;
      const grip = rows.length > 1 && h('span.grip', {title: t('order.drag'), onpointerdown: (e) => this.#take(e, row.id)}, icon('grip'));
      const step = (key, sign, by) => button('icon', t(key, {name}), () => this.#step(row.id, by), {icon: sign, 'data-move': sign});
      fill(tr, h('td.narrow', h('div.place', grip, h('span'))), this.columns.map((c) => h('td', {class: c.class}, c.cell(row))),
        h('td.row-actions', rows.length > 1 && [step('places.up', 'up', -1), step('places.down', 'down', 1)],
          this.actions?.(row).map((a) => button('icon', a.label, () => a.run(), {icon: a.icon}))));
      tr.classList.add('opens');
      tr.onclick = (e) => {
        if (!e.target.closest('a, button, .grip')) tr.querySelector('a')?.click();
      };
    }
    tr.querySelector('.place span:last-child').textContent = i + 1;
    const [up, down] = tr.querySelectorAll('[data-move]');
    if (up) [up.disabled, down.disabled] = [i === 0, i === rows.length - 1];
    return tr;
  }

  #of(id) {
    return this.#parts.find((p) => p.rows.some((r) => r.id === id))?.rows ?? [];
  }

  // step moves a row by one place, after the moves that are under way.
  #step(id, by) {
    this.#last = this.#last.then(() => {
      const rows = this.#of(id);
      const to = rows.findIndex((r) => r.id === id) + by;
      return to < 0 || to >= rows.length ? undefined : this.#move(id, to);
    });
  }

  // move puts a row at a place of its order, unless what is shown is not how things are.
  async #move(id, to) {
    const shown = this.#rows;
    const others = this.#of(id).filter((r) => r.id !== id);
    const place = `${this.resource}/${encodeURIComponent(id)}/move`;
    await attempt(async () => {
      try {
        const {body, etag} = await call('GET', `${this.resource}/order`);
        if (body.ids.join() !== shown.map((r) => r.id).join()) throw new Problem(412);
        const after = await call('POST', place, {body: {before: others[to]?.id ?? ''}, etag});
        const known = new Map(shown.map((r) => [r.id, r]));
        this.#rows = after.body.ids.map((x) => known.get(x));
        await this.#sort();
        this.said.textContent = t('places.now', {name: this.called(known.get(id)), place: to + 1, of: others.length + 1});
      } catch (err) {
        if (!(err instanceof Problem) || ![404, 409, 412].includes(err.status)) throw err;
        await this.load();
        toast(t('order.changed'), 'bad');
      }
    });
  }

  // take begins to drag a row.
  #take(e, id) {
    if (e.button || this.#drag) return;
    e.preventDefault();
    const tr = this.#trs.get(id);
    const drag = (this.#drag = {id, tr, body: tr.parentElement, over: null, after: false});
    const end = new AbortController();
    const on = (type, fn, at = e.currentTarget) => at.addEventListener(type, fn, {signal: end.signal});
    const drop = (done) => {
      end.abort();
      this.#mark(null);
      tr.classList.remove('dragged');
      this.#drag = null;
      const rest = this.#of(id).filter((r) => r.id !== id);
      const to = done && drag.over ? rest.findIndex((r) => r.id === drag.over.dataset.id) + (drag.after ? 1 : 0) : -1;
      if (to >= 0 && to !== this.#of(id).findIndex((r) => r.id === id)) this.#last = this.#last.then(() => this.#move(id, to));
      else this.#sort(); // what came meanwhile
    };
    e.currentTarget.setPointerCapture(e.pointerId);
    tr.classList.add('dragged');
    on('pointermove', (m) => this.#drawn(m));
    on('pointerup', () => drop(true));
    on('pointercancel', () => drop(false));
    on('keydown', (k) => k.key === 'Escape' && drop(false), document);
  }

  // drawn follows the pointer, also beyond the edge of what is seen.
  #drawn({clientY: y}) {
    const {tr, body} = this.#drag;
    const edge = 48;
    if (y > innerHeight - edge) scrollBy(0, 12);
    else if (y < edge + 56) scrollBy(0, -12);
    const rows = [...body.children].filter((x) => x !== tr);
    const middle = (x) => x.getBoundingClientRect().top + x.offsetHeight / 2;
    const next = rows.find((x) => y < middle(x));
    this.#mark(next ?? rows.at(-1), !next);
  }

  #mark(over, after = false) {
    const drag = this.#drag;
    drag.over?.classList.remove('goes-before', 'goes-after');
    over?.classList.add(after ? 'goes-after' : 'goes-before');
    if (over) Object.assign(drag, {over, after});
  }
}

customElements.define('g-order', Order);
