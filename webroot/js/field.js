// One parameter: label, input made from the schema, unit, help and error.

import {h, button, uid} from './dom.js';
import {t} from './text.js';
import * as schema from './schema.js';

// Field is one parameter of a schema. Event "edit" tells of every change.
export class Field extends HTMLElement {
  #input;
  #error;
  #errorId = uid();
  #help;

  constructor(schemaName, name, help) {
    super();
    this.#help = h('span', {});
    this.helpText = help;
    this.name = name;
    this.property = schema.of(schemaName)[name] ?? {type: 'string'};
    this.must = schema.needed(schemaName, name);
  }

  connectedCallback() {
    if (this.#input) return;
    const {property, name} = this;
    const id = uid();
    const helpId = uid();
    this.id ||= uid();
    this.#input = this.#control(id);
    this.#input.setAttribute('aria-describedby', `${this.#errorId} ${helpId}`);
    this.#input.addEventListener('input', () => {
      this.error = '';
      this.dispatchEvent(new Event('edit', {bubbles: true}));
    });
    this.#input.addEventListener('change', () => this.validate());
    this.#error = h('p', {class: 'error', id: this.#errorId, hidden: true});
    const label = h('label', {for: id}, schema.label(name));
    const help = h('p', {class: 'help', id: helpId}, this.#help, this.#range());
    this.help = this.helpText ?? schema.help(name, property);
    this.dataset.type = property.type;
    if (property.type === 'boolean') {
      this.append(h('div', {class: 'switch-row'}, label, this.#input), this.#error, help);
    } else {
      this.append(label, this.#framed(), this.#error, help);
    }
    if (this.pending !== undefined) this.value = this.pending;
  }

  #control(id) {
    const p = this.property;
    if (p.type === 'boolean') return h('input', {id, type: 'checkbox', role: 'switch', class: 'switch'});
    if (p.enum) return h('select', {id}, p.enum.map((v) => h('option', {value: v}, v)));
    if (p.type === 'array') return h('textarea', {id, rows: 4, spellcheck: 'false'});
    const digits = p.type === 'integer' || /^\^\(?\[0-9\]/.test(p.pattern ?? '');
    return h('input', {
      id, type: p.writeOnly ? 'password' : 'text', inputmode: digits ? 'numeric' : false,
      autocomplete: p.writeOnly ? 'new-password' : 'off', autocapitalize: 'none', spellcheck: 'false',
      maxlength: p.maxLength ?? false, required: this.must && !p.default,
    });
  }

  #framed() {
    const {'x-unit': unit, writeOnly} = this.property;
    if (unit) return h('div', {class: 'framed'}, this.#input, h('span', {class: 'unit'}, unit));
    if (!writeOnly) return this.#input;
    const show = button('icon', t('action.show'), () => {
      const hidden = this.#input.type === 'password';
      this.#input.type = hidden ? 'text' : 'password';
      show.setAttribute('aria-pressed', String(hidden));
    }, {icon: 'eye', 'aria-pressed': 'false'});
    return h('div', {class: 'framed'}, this.#input, show);
  }

  #range() {
    const {minimum: lo, maximum: hi, type, default: d} = this.property;
    if (type === 'array') return h('span', {class: 'range'}, ` ${t('rule.lines')}`);
    if (lo === undefined || hi === undefined) return null;
    return h('span', {class: 'range'}, ` ${t(d === undefined ? 'rule.between' : 'rule.betweenDefault', {lo, hi, d})}`);
  }

  get value() {
    const {type, writeOnly} = this.property;
    if (!this.#input) return this.pending;
    if (type === 'boolean') return this.#input.checked;
    if (type === 'array') return this.#input.value.split(/[\n,]/).map((s) => s.trim()).filter(Boolean);
    const text = writeOnly ? this.#input.value : this.#input.value.trim();
    if (type === 'integer') return text === '' ? null : Number(text);
    return writeOnly && text === '' ? undefined : text;
  }

  set value(v) {
    this.pending = v;
    if (!this.#input) return;
    if (this.property.type === 'boolean') this.#input.checked = Boolean(v);
    else this.#input.value = Array.isArray(v) ? v.join('\n') : v ?? '';
  }

  set help(text) {
    this.#help.textContent = sentence(text);
  }

  // error is the message at the field.
  get error() {
    return this.#error?.textContent ?? '';
  }

  set error(text) {
    if (!this.#error) return;
    this.#error.textContent = text;
    this.#error.hidden = !text;
    if (text) this.#input.setAttribute('aria-invalid', 'true');
    else this.#input.removeAttribute('aria-invalid');
  }

  validate() {
    this.error = schema.check(this.property, this.value, this.must);
    return !this.error;
  }

  focus() {
    this.#input.focus();
  }
}

// sentence ends a text with a full stop, so that another may follow.
function sentence(text) {
  return !text || /[.!?]$/.test(text) ? text : `${text}.`;
}

customElements.define('g-field', Field);
