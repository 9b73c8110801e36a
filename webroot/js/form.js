// A form over one schema: sections of fields, a save bar that appears when
// something differs, errors at the fields and summed up with links.

import {h, put, button, icon} from './dom.js';
import {t} from './text.js';
import {label} from './schema.js';
import {Field} from './field.js';
import {Problem, told} from './api.js';

// Form edits the values of a schema. sections maps a title key to field names.
// save(values) must return the values that then hold.
export class Form extends HTMLElement {
  #fields = new Map();
  #before = {};
  #bar;
  #summary;
  #busy = false;

  constructor({schema, sections, values, save, cancel, isNew, action, extra}) {
    super();
    Object.assign(this, {schema, sections, save, cancel, isNew, action, extra});
    for (const names of Object.values(sections)) {
      for (const name of names) this.#fields.set(name, new Field(schema, name));
    }
    this.values = values;
  }

  connectedCallback() {
    if (this.#bar) return;
    this.#summary = h('div', {class: 'summary', role: 'alert', tabindex: '-1', hidden: true});
    this.#bar = h('div', {class: 'save-bar'});
    const form = h('form', {novalidate: true, onsubmit: (e) => {
      e.preventDefault();
      this.submit();
    }}, this.#summary);
    for (const [title, names] of Object.entries(this.sections)) {
      put(form, h('fieldset', {}, h('legend', {}, t(title)), names.map((n) => this.#fields.get(n))));
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
    const same = (a, b) => JSON.stringify(a ?? '') === JSON.stringify(b ?? '');
    return [...this.#fields].filter(([name, f]) => !same(f.value, this.#before[name])).map(([name]) => name);
  }

  #draw() {
    const n = this.changes.length;
    const shown = this.isNew || n > 0;
    this.#bar.classList.toggle('shown', shown);
    const was = this.#bar.childElementCount > 0;
    if (!shown) this.#bar.replaceChildren();
    else if (!was) {
      this.#bar.append(h('span', {class: 'count', role: 'status'}),
        button('plain', t('action.cancel'), () => this.#cancel()),
        h('button', {class: 'button primary', type: 'submit'}, this.action ?? t('action.save')));
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
      this.#report(wrong.map((f) => [f.name, f.error]));
      return;
    }
    this.#busy = true;
    this.#draw();
    try {
      const after = await this.save(this.values, this.changes);
      this.#summary.hidden = true;
      if (after) this.values = after;
    } catch (err) {
      this.#failed(err);
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
      const f = this.#fields.get(name);
      if (f) f.error = text;
    }
    this.#report(fields.length ? fields : [['', err.message]]);
  }

  // report sums errors up, with a link to each field.
  #report(errors) {
    this.#summary.replaceChildren(icon('alert'), h('div', {},
      h('strong', {}, t('form.notSaved')),
      h('ul', {}, errors.map(([name, text]) => {
        const f = this.#fields.get(name);
        if (!f) return h('li', {}, text);
        const link = h('a', {href: `#${f.id}`, onclick: (e) => {
          e.preventDefault();
          f.focus();
        }}, label(name));
        return h('li', {}, link, `: ${text}`);
      }))));
    this.#summary.hidden = false;
    const first = this.#fields.get(errors[0][0]);
    if (errors.length === 1 && first) first.focus();
    else this.#summary.focus();
  }
}

customElements.define('g-form', Form);
