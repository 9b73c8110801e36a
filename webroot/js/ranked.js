// An input that chooses some of a few values and puts them in order.

import {h, button, styles, uid} from './dom.js';
import {t} from './text.js';
import * as schema from './schema.js';

await styles('ranked');

// ranked lists all values of a property: those that are on come first, in their order.
export function ranked({name, property, changed}) {
  const all = property.items.enum;
  let on = [];
  const box = h('ol.ranked');
  const said = h('span.hidden', {role: 'status'});
  const word = (v) => schema.word(name, v);
  const tell = (v) => {
    said.textContent = t('places.now', {name: word(v), place: on.indexOf(v) + 1, of: on.length});
  };
  const move = (v, by) => {
    const at = on.indexOf(v);
    on.splice(at + by, 0, ...on.splice(at, 1));
    draw();
    const row = box.children[at + by];
    const again = row.querySelector(`[data-move="${by}"]`);
    (again.disabled ? row.querySelector('[data-move]:enabled') ?? row.querySelector('input') : again).focus();
    tell(v);
    changed();
  };
  const row = (v) => {
    const at = on.indexOf(v);
    const tick = h('input', {type: 'checkbox', id: uid(), value: v, props: {checked: at >= 0}, onchange: () => {
      on = tick.checked ? [...on, v] : on.filter((x) => x !== v);
      draw();
      box.querySelector(`input[value="${v}"]`).focus();
      if (tick.checked) tell(v);
      changed();
    }});
    const step = (by, key, sign) => button('icon', t(key, {name: word(v)}), () => move(v, by), {icon: sign, 'data-move': by, disabled: !on[at + by]});
    return h('li', {class: at < 0 && 'off'}, h('label', {for: tick.id}, tick, h('span', word(v))), at >= 0 && [step(-1, 'places.up', 'up'), step(1, 'places.down', 'down')]);
  };
  const draw = () => box.replaceChildren(...[...on, ...all.filter((v) => !on.includes(v))].map(row));
  return {
    el: h('div', box, said), group: true, focus: () => box.querySelector('input').focus(), get: () => [...on],
    set: (v) => {
      on = [...v ?? []];
      draw();
    },
  };
}
