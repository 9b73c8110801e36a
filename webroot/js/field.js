// One parameter: label, input made from the schema, unit, help and error. Options: {label, help,
// readOnly, choices, control, ref, none, skip, parts, when}.

import {h, uid} from './dom.js';
import {t, sentence} from './text.js';
import * as schema from './schema.js';
import {control} from './control.js';

// Field is one parameter of a schema. Event "edit" tells of every change.
// options.property stands in for that of the schema.
export class Field extends HTMLElement {
  #control = null;
  #error;
  #wrong = ''; // what the error says, without the label
  #help = h('span');

  constructor(schemaName, name, options = {}) {
    super();
    this.name = name;
    this.options = options;
    this.property = options.property ?? schema.property(schemaName, name);
    this.must = options.must ?? schema.needed(schemaName, name);
    this.label = options.label ?? schema.title(this.property, name);
  }

  connectedCallback() {
    if (this.#control) return;
    const {property: p, name} = this;
    this.id ||= uid();
    this.dataset.type = p.type;
    this.dataset.name = name;
    const edited = () => {
      this.error = '';
      this.dispatchEvent(new Event('edit', {bubbles: true}));
    };
    const c = control(name, p, this.must, this.options, edited);
    this.#control = c;
    this.#error = h('p.error', {id: uid(), hidden: true});
    const help = h('p.help', {id: uid()}, this.#help, this.#range());
    const label = c.group ? h('span.label', {id: uid()}, this.label) : h('label', {for: c.input.id}, this.label);
    if (c.group) {
      c.el.setAttribute('role', 'group');
      c.el.setAttribute('aria-labelledby', label.id);
    } else {
      c.input.addEventListener('input', edited);
      c.input.addEventListener('change', () => this.validate());
    }
    (c.group ? c.el : c.input).setAttribute('aria-describedby', `${this.#error.id} ${help.id}`);
    const plain = schema.help(p);
    this.help = this.options.help ?? (this.options.readOnly ? '' : plain !== this.label ? plain : p.maxLength ? t('rule.upTo', {n: p.maxLength}) : '');
    if (p.type === 'boolean' && !this.options.readOnly) this.append(h('div.switch-row', label, c.el), this.#error, help);
    else this.append(label, c.el, this.#error, help);
    if (this.pending !== undefined) this.value = this.pending;
  }

  #range() {
    const {minimum: lo, maximum: hi, default: d} = this.property;
    if (lo === undefined || hi === undefined || this.options.readOnly || this.options.choices) return null;
    return h('span.range', ` ${t(d === undefined ? 'rule.between' : 'rule.betweenDefault', {lo, hi, d})}`);
  }

  get value() {
    return this.#control ? this.#control.get() : this.pending;
  }

  set value(v) {
    this.pending = v;
    this.#control?.set(v);
  }

  set help(text) {
    this.#help.textContent = sentence(text);
  }

  // error is the message at the field.
  get error() {
    return this.#wrong;
  }

  set error(text) {
    if (!this.#error) return;
    this.#wrong = text;
    this.#error.textContent = sentence(text, this.label);
    this.#error.hidden = !text;
    const at = this.#control.group ? null : this.#control.input;
    if (text) at?.setAttribute('aria-invalid', 'true');
    else at?.removeAttribute('aria-invalid');
    this.classList.toggle('wrong', Boolean(text));
  }

  // part is the field of a part of an object.
  part(name) {
    return this.#control?.parts?.find((f) => f.name === name);
  }

  // faults lists what is wrong: [name, text], of parts with their names after that of the field.
  faults() {
    const {parts} = this.#control;
    if (parts) return parts.flatMap((f) => f.faults().map(([name, text]) => [`${this.name}.${name}`, text]));
    return this.error ? [[this.name, this.error]] : [];
  }

  validate() {
    if (this.options.readOnly || this.hidden) return true;
    if (this.#control.parts) return this.#control.parts.filter((f) => !f.validate()).length === 0;
    this.error = this.#control.check?.() || schema.check(this.property, this.value, this.must);
    return !this.error;
  }

  // reveal shows and focuses the field, whatever hides it.
  reveal() {
    this.options = {...this.options, when: null};
    this.hidden = false;
    this.focus();
  }

  focus() {
    const fold = this.closest('details');
    if (fold) fold.open = true;
    this.#control.focus();
    this.scrollIntoView({block: 'center'});
  }
}

customElements.define('g-field', Field);
