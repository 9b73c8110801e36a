// A form over one schema: sections of fields, a save bar that appears when something differs,
// errors at the fields and summed up with links.

import {h, put, fill, button, icon} from './dom.js';
import {live} from './live.js';
import {t} from './text.js';
import {blank, written, body, kept} from './schema.js';
import {Field} from './field.js';
import {call, Problem, told} from './api.js';
import {toast} from './dialog.js';

// Form edits the values of a schema. sections maps a title key ('' for none) to
// field names; those of folds, a set of title keys, are folded away unless something in them is set. save(values, changes) must return the values that then hold.
// fresh() reads the values of now and returns {values, take}; take() makes them
// those that are changed. options gives those of a Field by name; its when
// (values) says whether the field is shown. extra is a node below the fields.
export class Form extends HTMLElement {
  #fields = new Map();
  #before = {};
  #bar;
  #summary;
  #busy = false;

  constructor({schema, sections, folds, values, save, fresh, cancel, isNew, action, extra, options = {}}) {
    super();
    Object.assign(this, {schema, sections, folds, save, fresh, cancel, isNew, action, extra});
    for (const names of Object.values(sections)) {
      for (const name of names) this.#fields.set(name, new Field(schema, name, options[name]));
    }
    this.values = values;
  }

  connectedCallback() {
    if (this.#bar) return;
    this.#summary = h('div.summary', {role: 'alert', tabindex: '-1', hidden: true});
    this.#bar = h('div.save-bar');
    const form = h('form', {novalidate: true, onsubmit: (e) => {
      e.preventDefault();
      this.submit();
    }}, this.#summary);
    for (const [title, names] of Object.entries(this.sections)) {
      const fields = names.map((n) => this.#fields.get(n));
      put(form, this.folds?.includes(title) ? h('details.fold', {open: names.some((n) => this.#set(n))}, h('summary', icon('down'), t(title)), h('fieldset', fields))
        : h('fieldset', title && h('legend', t(title)), fields));
    }
    put(form, [this.extra, this.#bar]);
    this.append(form);
    this.addEventListener('edit', () => this.#draw());
    this.addEventListener('keydown', (e) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 's') {
        e.preventDefault();
        this.submit();
      }
    });
    this.#draw();
  }

  get values() {
    return Object.fromEntries([...this.#fields].map(([name, f]) => [name, f.value]));
  }

  set values(values) {
    for (const [name, f] of this.#fields) f.value = values[name];
    this.#before = structuredClone(values);
    if (this.#bar) this.#draw();
  }

  // changes lists the names of the fields that differ.
  get changes() {
    return [...this.#fields].filter(([name, f]) => !same(f.value, this.#before[name])).map(([name]) => name);
  }

  field(name) {
    return this.#fields.get(name);
  }

  // set tells whether a parameter differs from that of a new entry.
  #set(name) {
    return !same(this.#before[name], blank(this.#fields.get(name).property));
  }

  // at is the field, or the part of one, that a name of the API stands for.
  #at(name) {
    const [first, ...rest] = name.split('.');
    const f = this.#fields.get(name) ?? this.#fields.get(first);
    return f?.part(rest.join('.')) ?? f;
  }

  // follow keeps a form without changes like the device's values.
  follow(signal) {
    live.keep(signal, ['revision'], () => this.refresh());
  }

  // refresh shows the values of now unless something was edited. mixed: beside what was edited, unless
  // that has changed.
  async refresh(mixed) {
    const still = () => !this.#busy && (mixed || this.changes.length === 0);
    if (!still()) return;
    const {values, take} = await this.fresh();
    const differs = [...this.#fields.keys()].filter((name) => !same(values[name], this.#before[name]));
    const edited = this.changes;
    if (!still() || differs.some((name) => edited.includes(name))) return;
    take();
    if (!differs.length) return;
    for (const name of differs) this.#fields.get(name).value = values[name];
    this.#before = structuredClone(values);
    this.#draw();
  }

  // conflict tells what somebody else has changed since. Fields that were not
  // edited take the new values; those that were keep what was typed.
  async #conflict() {
    const {values, take} = await this.fresh();
    const edited = this.changes;
    const before = this.#before;
    take();
    this.#before = structuredClone(values);
    const differs = [...this.#fields].filter(([name]) => !same(values[name], before[name]));
    for (const [name, f] of differs) if (!edited.includes(name)) f.value = values[name];
    const shown = (f, v) => written(v, f.property, f.name) || t('value.none');
    const say = ([name, f]) => t(edited.includes(name) && !same(f.value, values[name]) ? 'form.conflictTyped' : 'form.conflictNow',
      {name: f.label, now: shown(f, values[name]), typed: shown(f, f.value)});
    const done = (act) => () => {
      this.#summary.hidden = true;
      act();
    };
    this.#tell(t('form.conflict'), differs.length ? differs.map(say) : [t('form.conflictElsewhere')],
      h('div.actions', button('plain', t('form.conflictLoad'), done(() => {
        this.values = values;
      })), this.changes.length > 0 && button('primary', t('form.conflictSave'), done(() => this.submit()))));
  }

  // tell shows a summary above the form.
  #tell(title, items, more) {
    fill(this.#summary, icon('alert'), h('div', h('strong', title), h('ul', items.map((x) => h('li', x))), more));
    this.#summary.hidden = false;
    this.#summary.focus();
  }

  #draw() {
    const {values} = this;
    for (const f of this.#fields.values()) if (f.options.when) f.hidden = !f.options.when(values);
    const n = this.changes.length;
    const shown = this.isNew || n > 0;
    this.#bar.classList.toggle('shown', shown);
    const was = this.#bar.childElementCount > 0;
    if (!shown) this.#bar.replaceChildren();
    else if (!was) {
      this.#bar.append(h('span.count', {role: 'status'}),
        button('plain', t('action.cancel'), () => this.#cancel()),
        h('button.button.primary', {type: 'submit'}, this.action ?? t('action.save')));
    }
    const count = this.#bar.querySelector('.count');
    if (count && !this.isNew) count.textContent = t('form.changes', {n});
    for (const b of this.#bar.querySelectorAll('button')) b.disabled = this.#busy;
  }

  #cancel() {
    if (this.cancel) return this.cancel();
    this.values = this.#before;
    for (const f of this.#fields.values()) f.error = '';
    this.#summary.hidden = true;
    return undefined;
  }

  async submit() {
    if (this.#busy || (!this.isNew && this.changes.length === 0)) return;
    const wrong = [...this.#fields.values()].filter((f) => !f.validate());
    if (wrong.length) {
      this.#report(wrong.flatMap((f) => f.faults()));
      return;
    }
    this.#busy = true;
    this.#draw();
    try {
      const after = await this.save(this.values, this.changes);
      this.#summary.hidden = true;
      if (after) this.values = after;
    } catch (err) {
      const stale = err instanceof Problem && err.status === 412 && this.fresh;
      await (stale ? this.#conflict().catch((e) => this.#failed(e)) : this.#failed(err));
    } finally {
      this.#busy = false;
      this.#draw();
    }
  }

  #failed(err) {
    if (!(err instanceof Problem)) {
      this.#report([['', told(err)]]);
      return;
    }
    const fields = Object.entries(err.fields());
    for (const [name, text] of fields) {
      const f = this.#at(name);
      if (f) f.error = text;
    }
    this.#report(fields.length ? fields : [['', err.message]]);
  }

  // report sums errors up, with a link to each field.
  #report(errors) {
    const link = (f) => h('a', {href: `#${f.id}`, onclick: (e) => {
      e.preventDefault();
      f.focus();
    }}, f.label);
    this.#tell(t('form.notSaved'), errors.map(([name, text]) => {
      const f = this.#at(name);
      return f ? [link(f), `: ${text}`] : text;
    }));
    if (errors.length === 1) this.#at(errors[0][0])?.focus();
  }
}

// newest reads a state. An answer that was on its way while state was written or read otherwise may
// be older than what state holds: then it reads again.
export async function newest(state, read) {
  for (;;) {
    const {etag} = state;
    const now = await read();
    if (state.etag === etag) return now;
  }
}

// settingsForm makes a form over the settings at a path of the API and keeps it like the device's
// until the signal aborts. like is a path that takes the same, when the API describes path with a hole. options(entry) gives those of the fields; saved(entry, changes) is called
// after a save, taken(entry) when somebody else made one. It resolves to {form, state}; state, {entry, etag}, is what the device has.
export async function settingsForm({path, like = path, signal, options, saved, taken, ...rest}) {
  const schema = body('PUT', like);
  const read = async (method, more) => {
    const answer = await call(method, path, more);
    return {entry: answer.body, etag: answer.etag};
  };
  const state = await read('GET');
  const form = new Form({
    schema, values: state.entry, options: options?.(state.entry), ...rest,
    fresh: async () => {
      const now = await newest(state, () => read('GET'));
      return {values: now.entry, take: () => taken?.(Object.assign(state, now).entry)};
    },
    save: async (values, changes) => {
      Object.assign(state, await read('PUT', {body: {...kept(schema, state.entry), ...values}, etag: state.etag}));
      toast(t('settings.saved'));
      saved?.(state.entry, changes);
      return state.entry;
    },
  });
  form.follow(signal);
  return {form, state};
}

// bare is a value as text, in which nothing, an empty list and an empty text are the same.
const bare = (v) => JSON.stringify(v ?? '', (_, x) => (x == null || x.length === 0 ? '' : x.constructor === Object ? Object.fromEntries(Object.entries(x).sort()) : x));
const same = (a, b) => bare(a) === bare(b);

customElements.define('g-form', Form);
