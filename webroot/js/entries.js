// A screen of entries from data: their list, and a side sheet in which one is added, changed and
// deleted.

import {h, button} from './dom.js';
import {t} from './text.js';
import {call, get, Problem} from './api.js';
import {live} from './live.js';
import * as schema from './schema.js';
import {Form, newest} from './form.js';
import {attempt, mayDelete, mayDiscard, sheet, toast} from './dialog.js';

// column makes a column of the list from a property's name.
function column(schemaName, key, href) {
  const p = schema.property(schemaName, key);
  const text = (row) => (p.type === 'array' ? row[key]?.length ?? 0 : schema.written(row[key], p, key));
  return {
    key, label: schema.title(p, key), class: p.type === 'array' ? 'number wide' : p.enum ? 'wide' : p.type === 'integer' && 'number', sort: text,
    ...(href && {cell: (row) => h('a', {href: href(row)}, text(row))}),
  };
}

// undoable says that an entry is deleted and offers the way back, which is the
// revision before: only while nothing else has changed, and to who may see it.
function undoable(session, text, before) {
  if (!session.modules.includes('revisions') || !before) return toast(text);
  return toast(text, 'ok', {label: t('action.undo'), run: () => attempt(async () => {
    const {etag} = await call('GET', `/revisions/${before}/effect`);
    const [newest] = await get('/revisions?limit=1');
    if (newest.number !== before + 1) return toast(t('entry.undoLate'), 'bad');
    await call('POST', `/revisions/${before}/restore`, {etag});
    return toast(t('entry.undone'));
  })});
}

// entriesScreen makes a screen. spec, besides what the menu says of it:
//   resource: path in the API; adding, empty: keys of texts
//   called(entry), deleteText(entry): texts
//   list: {columns: [name or column] or (session) => list, and names, numbers, letters, sort as in List; joined(rows): a promise of rows with more in them; kind: the class of the list}
//   form: {sections: {title key: [names]} or (entry, isNew) => those, folds: as in Form, options: {name: options} or (entry, isNew, session) => those}
//   blank(rows): values of a new entry beside the defaults
//   actions(entry, session): of a row, beside deleting, with href in place of run where they lead to a screen; fixed(entry, session): the entry cannot be deleted; undo: false when it cannot come back
//   extra(state, screen): node below the form
//   ready(form, state, screen): called when the form is made; sends(values): what is sent; body(values, changes, state): of an entry that is changed
export function entriesScreen(spec) {
  return async (context) => {
    const screen = new Resource({...spec, ...context.screen}, context);
    context.content.append(screen.list);
    await screen.load();
    live.follow(context.signal, async (kind) => {
      if (kind === 'registration' || kind === 'line') screen.list.rows = screen.list.rows;
      else if (kind === 'revision' || kind === 'all') {
        await screen.load().catch(() => {}); // a lost connection has its banner
        await screen.refresh();
      }
    });
    context.signal.addEventListener('abort', () => screen.close());
    await screen.entry(context.entry);
    return {entry: (id) => screen.entry(id)};
  };
}

// given is a part of a spec for one entry.
const given = (x, ...of) => (typeof x === 'function' ? x(...of) : x);

class Resource {
  #open = null;
  #openId = '';
  #form = null;
  #watching = null; // ends what the open sheet follows

  constructor(spec, {content, signal, app, session}) {
    Object.assign(this, {spec, content, signal, app, session});
    const {columns, ...rest} = spec.list;
    const shape = schema.body('POST', spec.resource);
    const href = (e) => `${spec.path}/${encodeURIComponent(e.id)}`;
    this.list = new spec.list.kind({
      resource: spec.resource, called: spec.called,
      name: t(spec.title), keep: spec.path, empty: t(spec.empty), open: true, ...rest,
      emptyAction: (spec.adds?.(session) ?? true) && h('a.button.primary', {href: `${spec.path}/new`}, t(spec.add)),
      load: () => attempt(() => this.load()),
      columns: given(columns, session).map((c, i) => (typeof c === 'string' ? column(shape, c, i === 0 && href) : c)),
      actions: (e) => [...(spec.actions?.(e, session) ?? []).map((a) => ({run: () => this.app.go(a.href), ...a})), ...(spec.fixed?.(e, session) ? [] : [{icon: 'trash', label: t('entry.delete', {name: spec.called(e)}), run: () => this.remove(e)}])],
    });
  }

  async load() {
    if (this.spec.list.source) return this.list.reload();
    const rows = await (this.spec.list.joined?.(await get(this.spec.resource)) ?? get(this.spec.resource));
    if (!this.signal.aborted) this.list.rows = rows;
    return undefined;
  }

  // entry opens the sheet of an entry, of a new one ("new"), or none ("").
  async entry(id) {
    if (id === this.#openId) return;
    this.close();
    this.#openId = id;
    if (id === 'new') this.#edit(null);
    else if (id) await this.#load(id);
  }

  #at(id) {
    return `${this.spec.resource}/${encodeURIComponent(id)}`;
  }

  async #load(id) {
    const found = await attempt(() => call('GET', this.#at(id)));
    if (!found) this.back();
    else if (this.#openId === id) this.#edit(found.body, found.etag);
  }

  close() {
    this.#watching?.abort();
    this.#open?.close();
    this.#open = null;
    this.#form = null;
    this.#openId = '';
  }

  back() {
    this.close();
    this.app.go(this.spec.path + location.search, {replace: true}); // Back does not open again what was closed
  }

  // remove deletes an entry after asking. It resolves to whether it did.
  async remove(e, etag) {
    const {spec} = this;
    const name = spec.called(e);
    if (!(await mayDelete(t('entry.deleteTitle', {name}), spec.deleteText(e)))) return false;
    return attempt(async () => {
      const tag = etag ?? (await call('GET', this.#at(e.id))).etag;
      const before = spec.undo === false ? 0 : live.revision;
      await this.#delete(e.id, tag);
      undoable(this.session, t('entry.deleted', {name}), before);
      await this.load();
      return true;
    });
  }

  // While the page deletes an entry, its sheet does not find out that it is gone.
  async #delete(id, etag) {
    const form = this.#form;
    this.#form = null;
    try {
      await call('DELETE', this.#at(id), {etag});
    } catch (err) {
      if (this.#open) this.#form = form;
      throw err;
    }
  }

  // watched is a signal that holds while the sheet is open.
  watched() {
    return AbortSignal.any([this.signal, this.#watching.signal]);
  }

  #edit(entry, etag) {
    const {spec, session} = this;
    const isNew = !entry;
    const shape = schema.body(isNew ? 'POST' : 'PUT', isNew ? spec.resource : `${spec.resource}/{id}`);
    const sections = given(spec.form.sections, entry ?? {}, isNew);
    const names = Object.values(sections).flat();
    const values = isNew ? {...Object.fromEntries(names.map((n) => [n, schema.blank(schema.property(shape, n))])), ...spec.blank?.(this.list.rows)} : entry;
    const state = {entry, etag, shape};
    this.#watching = new AbortController();
    const form = new Form({
      schema: shape, sections, folds: spec.form.folds, values, isNew, action: isNew ? t(spec.add) : undefined,
      options: given(spec.form.options, entry ?? {}, isNew, session),
      extra: this.#extra(state),
      cancel: isNew ? () => this.#open.ask() : undefined,
      save: (v, changes) => (isNew ? this.#add(v) : this.#change(state, v, changes)),
      fresh: async () => {
        const now = await newest(state, () => call('GET', this.#at(state.entry.id)));
        return {values: now.body, take: () => this.#take(state, now)};
      },
    });
    this.#form = form;
    this.#open = sheet({
      title: isNew ? t(spec.adding) : spec.called(entry), content: form, wide: spec.wide,
      leave: () => form.changes.length === 0 || mayDiscard(),
      closed: () => this.back(),
    });
    spec.ready?.(form, state, this);
    const asked = form.field(new URLSearchParams(location.search).get('field'));
    if (asked) asked.reveal();
    else if (isNew) form.querySelector('g-field').focus();
  }

  async #add(v) {
    const {body} = await call('POST', this.spec.resource, {body: this.#sent(v)});
    await this.load();
    this.close();
    this.app.go(`${this.spec.path}/${encodeURIComponent(body.id)}${location.search}`, {replace: true});
    toast(t('entry.added', {name: this.spec.called(body)})); // last: the sheet of what was added is on its way
  }

  // sent is what the device takes of the values.
  #sent(values) {
    return this.spec.sends?.(values) ?? values;
  }

  // change sends the whole entry: what the form does not show stays.
  async #change(state, v, changes) {
    const whole = {...schema.kept(state.shape, state.entry), ...v};
    const body = this.spec.body?.(whole, changes, state) ?? this.#sent(whole);
    const after = await call('PUT', this.#at(state.entry.id), {body, etag: state.etag});
    this.#take(state, after);
    toast(t('entry.saved', {name: this.spec.called(after.body)}));
    await this.load();
    return after.body;
  }

  // take makes an answer about the open entry the one that the sheet shows.
  #take(state, {body, etag}) {
    Object.assign(state, {entry: body, etag});
    if (!this.#open) return;
    this.#open.box.querySelector('h2').textContent = this.spec.called(body);
    this.spec.taken?.(this.#form, state, this);
  }

  // refresh brings the open sheet up to date, as Form does.
  async refresh(mixed) {
    const form = this.#form;
    if (!form || form.isNew) return;
    try {
      await form.refresh(mixed);
    } catch (err) {
      if (form !== this.#form || !(err instanceof Problem) || err.status !== 404) return; // a lost connection has its banner
      toast(t('entry.gone'), 'bad');
      this.back();
    }
  }

  // extra is what a sheet shows below the form: what the screen adds, and the
  // end of the entry.
  #extra(state) {
    const {spec, session} = this;
    if (!state.entry) return null;
    const more = spec.extra?.(state, this);
    const fixed = spec.fixed?.(state.entry, session);
    return h('div.extra', more, !fixed && h('section.danger-zone', button('danger-quiet', t('entry.deleteAction'), async () => {
      if (await this.remove(state.entry, state.etag)) this.back();
    }, {icon: 'trash'})));
  }
}
