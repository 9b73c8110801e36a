// The inputs of a field. Each is {el, input, get(), set(value), focus(), group}: input is what a
// label names; a group has several inputs and is named itself. changed() tells of an edit by hand.

import {h, button, uid} from './dom.js';
import {t} from './text.js';
import * as schema from './schema.js';
import {references, oneOf} from './choose.js';
import {Field} from './field.js';

// control makes the input for a field of that name, property and options
// {control, choices: [{id, label}], readOnly, ref, none, parts}.
export function control(name, p, must, options, changed) {
  const id = uid();
  if (options.control) return options.control({name, property: p, changed});
  if (options.readOnly) return shown(p, name, id);
  const ref = options.ref ?? p['x-ref'] ?? p.items?.['x-ref'];
  if (ref) return p.type === 'array' ? references({ref, changed}) : oneOf({ref, changed, id, must, none: options.none, skip: options.skip});
  if (p.properties) return parts(p, changed, options.parts);
  if (p.items?.enum) return several(p.items.enum.map((v) => ({id: v, label: schema.word(name, v)})), changed);
  const choices = options.choices ?? p.enum?.map((v) => ({id: v, label: schema.word(name, v)}));
  if (choices) return choices.length <= 3 ? radios(choices, id, changed) : select(choices, id, p.type === 'integer');
  if (p.type === 'boolean') return toggle(id);
  if (p.type === 'array') return chips(p, id, changed);
  return text(p, id, must);
}

const plain = (input, rest) => ({el: input, input, focus: () => input.focus(), ...rest});

function shown(p, name, id) {
  const out = h('output', {id, class: 'shown'});
  let held;
  return plain(out, {get: () => held, set: (v) => {
    held = v;
    out.textContent = schema.written(v, p, name) || t('value.none');
  }});
}

function toggle(id) {
  const input = h('input', {id, type: 'checkbox', role: 'switch', class: 'switch'});
  return plain(input, {get: () => input.checked, set: (v) => {
    input.checked = Boolean(v);
  }});
}

function select(choices, id, number) {
  const input = h('select', {id}, choices.map((c) => h('option', {value: c.id}, c.label)));
  return plain(input, {get: () => (number ? Number(input.value) : input.value), set: (v) => {
    input.value = v ?? '';
  }});
}

function radios(choices, id, changed) {
  const inputs = choices.map((c, i) => h('input', {type: 'radio', name: id, id: `${id}-${i}`, value: c.id, onchange: changed}));
  return {
    group: true, input: inputs[0],
    el: h('div.radios', inputs.map((input, i) => h('label', {for: input.id}, input, h('span', choices[i].label)))),
    get: () => inputs.find((i) => i.checked)?.value ?? '',
    set: (v) => inputs.forEach((i) => {
      i.checked = i.value === String(v ?? '');
    }),
    focus: () => (inputs.find((i) => i.checked) ?? inputs[0]).focus(),
  };
}

// several chooses any of a few values. As long as they are the same they keep their order.
export function several(choices, changed) {
  let held = [];
  const inputs = choices.map((c) => h('input', {type: 'checkbox', id: uid(), value: c.id, onchange: changed}));
  return {
    group: true, focus: () => inputs[0].focus(),
    el: h('div.radios', inputs.map((input, i) => h('label', {for: input.id}, input, h('span', choices[i].label)))),
    get: () => {
      const now = inputs.filter((i) => i.checked).map((i) => i.value);
      return now.length === held.length && now.every((v) => held.includes(v)) ? held : now;
    },
    set: (v) => {
      held = v ?? [];
      for (const i of inputs) i.checked = held.includes(i.value);
    },
  };
}

// parts are the fields of an object; options are those of a Field by name, and their order. Their
// errors stand at them.
export function parts(p, changed, options = {}) {
  const order = [...Object.keys(options), ...Object.keys(p.properties)];
  const fields = schema.parts(p).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([name, property]) => new Field('', name, {...options[name], property}));
  const el = h('div.parts', {onedit: (e) => {
    if (e.target === el) return;
    e.stopPropagation();
    changed();
  }}, fields);
  return {
    el, group: true, parts: fields, focus: () => fields[0].focus(),
    get: () => Object.fromEntries(fields.map((f) => [f.name, f.value])),
    set: (v) => fields.forEach((f) => {
      f.value = v?.[f.name];
    }),
  };
}

function text(p, id, must) {
  const number = p.type === 'integer';
  const digits = number || /^\^\(?\[0-9\]/.test(p.pattern ?? '');
  const secret = Boolean(p.writeOnly);
  const input = p['x-multiline'] ? h('textarea', {id, rows: 6, spellcheck: 'false'}) : h('input', {
    id, type: secret ? 'password' : 'text', inputmode: digits ? 'numeric' : p['x-format'] === 'email' ? 'email' : false,
    autocomplete: secret ? 'new-password' : 'off', autocapitalize: 'none', spellcheck: 'false',
    maxlength: p.maxLength ?? false, required: must && !p.default,
  });
  let frame = input;
  if (p['x-unit']) frame = h('div.framed', input, h('span.unit', p['x-unit']));
  if (secret) {
    const eye = button('icon', t('action.show'), () => {
      const hidden = input.type === 'password';
      input.type = hidden ? 'text' : 'password';
      eye.setAttribute('aria-pressed', String(hidden));
    }, {icon: 'eye', 'aria-pressed': 'false'});
    frame = h('div.framed', input, eye);
  }
  const get = () => {
    if (secret) return input.value === '' ? undefined : input.value;
    const typed = input.value.trim();
    return number ? (typed === '' ? null : Number(typed)) : typed;
  };
  return plain(input, {el: frame, get, set: (v) => {
    input.value = v ?? '';
  }});
}

// chips is a list of texts: each with a button that takes it out, and an input
// that adds what is typed at Enter, at a comma or when it is left.
function chips(p, id, changed) {
  let items = [];
  const list = h('ul.chips');
  const input = h('input', {id, type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', placeholder: t('chips.add')});
  const typed = () => input.value.split(/[\s,;]+/).filter((s) => s && !items.includes(s));
  const draw = () => list.replaceChildren(...items.map((v, i) => h('li', v, button('icon', t('chips.remove', {name: v}), () => {
    items = items.filter((x) => x !== v);
    draw();
    (list.querySelectorAll('button')[Math.min(i, items.length - 1)] ?? input).focus();
    changed();
  }, {icon: 'close'}))));
  const take = () => {
    if (!input.value.trim()) return;
    items = [...items, ...new Set(typed())];
    input.value = '';
    draw();
    changed();
  };
  input.addEventListener('change', take);
  input.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && input.value.trim()) {
      e.preventDefault();
      take();
    }
  });
  return {
    el: h('div', list, h('div.framed', input, button('icon', t('chips.add'), take, {icon: 'plus'}))),
    input, focus: () => input.focus(),
    get: () => [...items, ...typed()],
    set: (v) => {
      items = [...v ?? []];
      input.value = '';
      draw();
    },
  };
}
