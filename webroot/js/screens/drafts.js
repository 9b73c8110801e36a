// System > System settings: each edit waits as a draft until all are committed.

import {h, put, button, icon, styles} from '../dom.js';
import {t, api, when} from '../text.js';
import {call, get, told} from '../api.js';
import {live} from '../live.js';
import {Field} from '../field.js';
import {tabs} from '../tabs.js';
import * as schema from '../schema.js';
import {mayDiscard, sheet, toast} from '../dialog.js';

await styles('changes');

const pause = 500; // ms without a key after which what is typed becomes a draft

const name = (s) => s.path.split('.').at(-1);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const types = {text: 'string', number: 'integer', switch: 'boolean', list: 'array'};

// property is the schema of a setting.
const property = (s) => ({
  type: types[s.type], title: s.title, description: s.doc, minimum: s.minimum, maximum: s.maximum, default: s.default, enum: s.enum, 'x-unit': s.unit || undefined,
  ...(s.type === 'list' && {items: {type: 'string'}, maxItems: s.maxItems}),
});

const written = (s, v) => schema.written(v, property(s), name(s)) || t('value.none');

class Drafts {
  #rows = new Map(); // path => {field, setting, mark}
  #tab;

  constructor({content, signal}) {
    Object.assign(this, {signal, content});
    this.bar = h('div.uncommitted', {role: 'status', hidden: true});
    this.tabs = h('div');
    this.panel = h('section.card', {role: 'tabpanel'});
    content.classList.add('reading');
    content.append(this.bar, this.tabs, this.panel);
    document.addEventListener('address', () => this.all && this.#seek(), {signal});
  }

  async load() {
    this.#take(await call('GET', '/system-settings'));
  }

  // take shows the settings as the device has them.
  #take({body: {tabs}, etag}) {
    if (this.signal.aborted) return;
    Object.assign(this, {all: tabs, etag});
    if (this.#tab) this.#draw();
    else this.#seek();
  }

  // seek shows the tab or the setting that the address asks for.
  #seek() {
    const q = new URLSearchParams(location.search);
    const asked = (s) => [s.path, name(s)].includes(q.get('field'));
    this.#tab = (this.all.find((x) => x.settings.some(asked)) ?? this.all.find((x) => x.id === q.get('tab')) ?? this.all[0]).id;
    this.#draw();
    [...this.#rows.values()].find((r) => asked(r.setting))?.field.focus();
  }

  #draw() {
    const waiting = this.all.flatMap((x) => x.settings).filter((s) => s.draft !== undefined && s.draft !== null);
    this.waiting = waiting;
    this.bar.hidden = !waiting.length;
    if (waiting.length) this.bar.replaceChildren(icon('alert'), h('span', t('drafts.waiting', {n: waiting.length})), button('plain small', t('drafts.view'), () => this.#view()));
    this.tabs.replaceChildren(tabs(t('drafts.title'), this.all.map((x) => ({id: x.id, text: t(`drafts.tab.${x.id}`), count: x.settings.filter((s) => waiting.includes(s)).length})),
      this.#tab, async (id) => {
        if (this.panel.querySelector('.wrong') && !(await mayDiscard())) return;
        this.#tab = id;
        this.content.dispatchEvent(new CustomEvent('query', {bubbles: true, detail: {search: `?tab=${id}`}}));
        this.#draw();
        this.tabs.querySelector('[aria-selected=true]').focus();
      }));
    const {settings, id} = this.all.find((x) => x.id === this.#tab);
    if (this.panel.dataset.tab !== id) {
      this.panel.dataset.tab = id;
      this.#rows.clear();
      this.panel.replaceChildren(...settings.map((s) => this.#row(s)));
    }
    for (const s of settings) this.#mark(s);
  }

  #row(s) {
    const field = new Field('', name(s), {property: {...property(s), default: undefined}, must: false});
    const mark = h('p.mark');
    const row = {field, mark, setting: s, timer: 0, sent: Promise.resolve()};
    this.#rows.set(s.path, row);
    field.addEventListener('edit', () => {
      clearTimeout(row.timer);
      row.timer = setTimeout(() => this.#keep(row), pause);
    });
    field.addEventListener('change', () => {
      clearTimeout(row.timer);
      this.#keep(row);
    });
    return h('div.setting', field, mark);
  }

  // mark shows a setting as it is now; what is being typed stays.
  #mark(s) {
    const row = this.#rows.get(s.path);
    const {field, mark} = row;
    const drafted = this.waiting.includes(s);
    const held = drafted ? s.draft : s.value;
    const before = row.shown;
    row.setting = s;
    row.shown = held;
    if (before === undefined || (same(field.value, before) && !same(before, held))) field.value = held;
    mark.replaceChildren();
    put(mark, [h('span.muted', t('drafts.default', {value: written(s, s.default)})),
      drafted && [h('span.tag.changed', t('drafts.changed', {value: written(s, s.value)})),
        button('plain small', t('drafts.reset'), () => this.#reset(s), {'aria-label': t('drafts.resetName', {name: api(s.title)})})]]);
  }

  async #keep(row) {
    const {field} = row;
    const {value} = field;
    if (same(value, row.shown) || !field.validate()) return;
    row.shown = value;
    try {
      await (row.sent = row.sent.catch(() => {}).then(async () => // one after the other: each knows the state that the one before made
        this.#take(await call('PUT', `/system-settings/drafts/${row.setting.path}`, {body: {value}, etag: row.setting.etag}))));
    } catch (err) {
      const s = row.setting;
      row.shown = this.waiting.includes(s) ? s.draft : s.value;
      field.error = Object.values(err.fields?.() ?? {})[0] ?? told(err);
    }
  }

  async #reset(s) {
    const row = this.#rows.get(s.path);
    try {
      const answer = await call('DELETE', `/system-settings/drafts/${s.path}`, {etag: s.etag});
      if (row) {
        row.shown = undefined;
        row.field.error = '';
      }
      this.#take(answer);
      row?.field.focus();
    } catch (err) {
      toast(told(err), 'bad');
    }
  }

  // view lists old and new values, to be committed or reverted together.
  async #view() {
    await Promise.allSettled([...this.#rows.values()].map((row) => row.sent)); // what was just typed is shown, too
    const errors = h('div', {role: 'alert'});
    const {etag} = this; // of what is shown here
    const act = (path, done) => async () => {
      try {
        const answer = await call('POST', `/system-settings/${path}`, {etag, body: path === 'commit' ? {} : undefined});
        open.close();
        for (const row of this.#rows.values()) row.shown = undefined;
        toast(t(done));
        this.#take(answer);
      } catch (err) {
        const title = (path) => api(this.all.flatMap((x) => x.settings).find((s) => s.path === path)?.title ?? path);
        const texts = (err.details ?? []).map((d) => `${title(d.location.replace(/^body\./, ''))}: ${d.message}`);
        errors.replaceChildren(h('p.alert', icon('alert'), [told(err), ...texts].join(' ')));
      }
    };
    const cells = (s) => [['old', s.value, 'history.old'], ['new', s.draft, 'history.new']].map(([c, v, k]) => h('td', {class: c, 'data-label': t(k)}, written(s, v)));
    const open = sheet({title: t('drafts.title'), content: [
      h('div.table-frame', h('table.diff',
        h('thead', h('tr', ['history.what', 'history.old', 'history.new'].map((k) => h('th', {scope: 'col'}, t(k))))),
        h('tbody', this.waiting.map((s) => h('tr', h('th', {scope: 'row'}, api(s.title),
          s.author && h('span.by', `${s.author} · ${when(s.time)}`)), cells(s)))))),
      errors,
      h('div.actions', button('danger-quiet', t('drafts.revert'), act('revert', 'drafts.reverted')), button('primary', t('drafts.commit'), act('commit', 'drafts.committed'))),
    ]});
    this.signal.addEventListener('abort', () => open.close());
  }
}

// parameters are what the search finds.
export const parameters = async () => (await get('/system-settings')).tabs.flatMap((x) => x.settings)
  .map((s) => ({name: name(s), property: property(s), search: `?field=${s.path}`}));

export default async function show(context) {
  const screen = new Drafts(context);
  await screen.load();
  live.keep(context.signal, ['revision', 'drafts'], () => screen.load());
}
