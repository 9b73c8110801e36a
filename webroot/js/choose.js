// Inputs that choose entries of the configuration.

import {h, uid} from './dom.js';
import {t} from './text.js';
import {choices} from './refs.js';

const options = (list, none) => [none !== undefined && h('option', {value: ''}, none), list.map((c) => h('option', {value: c.id}, c.label))].flat(2).filter(Boolean);

// refill gives a select other options and keeps what is chosen, also when it
// is not among them.
export function refill(select, list, none, value = select.value) {
  const known = list.some((c) => c.id === value) || !value ? list : [...list, {id: value, label: value}];
  select.replaceChildren(...options(known, none));
  select.value = value;
}

// oneOf chooses one entry or, unless it is needed, none, which has those words. skip(choice) leaves
// entries out; named(choice) is what an entry is called in place of its label.
export function oneOf({ref, changed, id, must, none = t('choose.none'), skip = () => false, named = (c) => c.label}) {
  const el = h('select', {id, onchange: changed});
  if (must) none = undefined;
  let list = [];
  choices(ref).then((l) => refill(el, (list = l.filter((c) => !skip(c)).map((c) => ({...c, label: named(c)}))), none));
  return {el, input: el, focus: () => el.focus(), get: () => el.value, set: (v) => refill(el, list, none, v ?? '')};
}

// references is a list of entries with a tick at those that are chosen, and a
// search when it is long. skip(choice) leaves entries out; what is chosen and
// left out or unknown stays chosen. fixed are chosen besides and stay so. from
// is another source of choices.
export function references({ref, changed, skip, fixed = [], from, empty}) {
  let chosen = [];
  let list = [];
  const count = h('span.muted', {role: 'status'});
  const search = h('input', {type: 'search', placeholder: t('choose.search'), 'aria-label': t('choose.search'), hidden: true, oninput: () => filter()});
  const box = h('ul.ticks');
  const el = h('div.references', h('div.choose-head', search, count), box);
  const tell = () => {
    count.textContent = t('choose.count', {n: chosen.length});
  };
  const filter = () => {
    const q = search.value.trim().toLocaleLowerCase();
    for (const li of box.children) li.hidden = Boolean(q) && !li.textContent.toLocaleLowerCase().includes(q);
  };
  const draw = () => {
    const unknown = list.length ? chosen.filter((x) => !list.some((c) => c.id === x)).map((x) => ({id: x, label: x})) : [];
    const rows = [...list.filter((c) => fixed.includes(c.id) || !skip?.(c)), ...unknown];
    search.hidden = rows.length < 9;
    box.replaceChildren(...rows.map((c) => {
      const tick = h('input', {type: 'checkbox', value: c.id, id: uid(), props: {checked: chosen.includes(c.id) || fixed.includes(c.id), disabled: fixed.includes(c.id)}, onchange: () => {
        chosen = tick.checked ? [...chosen, c.id] : chosen.filter((x) => x !== c.id);
        tell();
        changed();
      }});
      return h('li', h('label', {for: tick.id}, tick, h('span', c.label), c.detail && h('span.muted', c.detail)));
    }));
    if (!rows.length) box.append(h('li.muted', empty ?? t('choose.empty')));
    tell();
    filter();
  };
  (from ?? choices(ref)).then((l) => {
    list = l;
    draw();
  });
  return {el, group: true, focus: () => (search.hidden ? box.querySelector('input') ?? search : search).focus(), get: () => chosen, set: (v) => {
    chosen = [...v ?? []];
    draw();
  }};
}
