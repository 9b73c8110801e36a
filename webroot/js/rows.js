// An input of several rows: an ordered list with a value each.

import {h, button, styles} from './dom.js';
import {t} from './text.js';
import {choices} from './refs.js';
import {refill} from './choose.js';
import * as schema from './schema.js';

await styles('rows');

// places is a list of entries, each with a value: members of a hunt group with
// their timeout. The keys of a place come from the property. A property of references
// alone makes places without a value: gateway groups of a route. They can be moved when they are
// ordered. kind chooses the words.
export function places({property, changed, ordered = true, kind}) {
  const alone = property['x-ref'] ?? property.items['x-ref'];
  const fields = alone ? {ref: {...property.items, 'x-ref': alone}} : property.items.properties;
  const refKey = Object.keys(fields).find((k) => fields[k]['x-ref']);
  const key = Object.keys(fields).find((k) => k !== refKey && !k.startsWith('$'));
  kind ??= alone ? 'Group' : 'Member';
  const p = fields[key];
  const number = p?.type === 'integer';
  let rows = [];
  let list = [];
  const box = h('ol.places');
  const said = h('span.hidden', {role: 'status'});
  const more = h('select', {'aria-label': t(`places.choose${kind}`)});
  const named = (id) => list.find((c) => c.id === id)?.label ?? id;
  const move = (from, to, name) => {
    rows.splice(to, 0, ...rows.splice(from, 1));
    draw();
    const again = box.children[to].querySelector(`[data-move=${name}]`);
    (again.disabled ? box.children[to].querySelector('[data-move]:enabled') : again)?.focus();
    said.textContent = t('places.now', {name: named(rows[to][refKey]), place: to + 1, of: rows.length});
    changed();
  };
  const draw = () => {
    box.replaceChildren(...rows.map((row, i) => {
      const name = named(row[refKey]);
      const input = p && h('input', {type: 'text', inputmode: number && 'numeric', props: {value: row[key]}, 'aria-label': `${schema.title(p, key)}, ${name}`, oninput: () => {
        const v = input.value.trim();
        row[key] = !number ? v : v === '' ? null : Number(v);
        input.toggleAttribute('aria-invalid', Boolean(schema.check(p, row[key], true)));
        changed();
      }});
      return h('li', {class: !ordered && 'free'}, h('span.place-name', name), p && h('span.framed', input, number && h('span.unit', p['x-unit'])),
        ordered && [button('icon', t('places.up', {name}), () => move(i, i - 1, 'up'), {icon: 'up', 'data-move': 'up', disabled: i === 0}),
          button('icon', t('places.down', {name}), () => move(i, i + 1, 'down'), {icon: 'down', 'data-move': 'down', disabled: i === rows.length - 1})],
        button('icon', t('places.remove', {name}), () => {
          rows.splice(i, 1);
          draw();
          more.focus();
          changed();
        }, {icon: 'trash'}));
    }));
    if (!rows.length) box.append(h('li.muted', t(`places.empty${kind}`)));
    refill(more, list.filter((c) => (alone || c.detail) && !rows.some((r) => r[refKey] === c.id)), t(`places.choose${kind}`), '');
  };
  more.addEventListener('change', () => {
    if (!more.value) return;
    rows.push({[refKey]: more.value, ...(p && {[key]: schema.blank(p)})});
    draw();
    (p && !number ? box.lastElementChild.querySelector('input') : more).focus();
    changed();
  });
  choices(fields[refKey]['x-ref']).then((l) => {
    list = l;
    draw();
  });
  const wrong = () => p && rows.map((r, i) => [i, schema.check(p, r[key], true)]).find(([, text]) => text);
  return {
    el: h('div', box, more, said), group: true, focus: () => (box.querySelector('[aria-invalid]') ?? more).focus(),
    get: () => rows.map((r) => (alone ? r.ref : {...r})),
    set: (v) => {
      rows = (v ?? []).map((r) => (alone ? {ref: r} : {...r}));
      draw();
    },
    check: () => (wrong() ? t('form.place', {place: wrong()[0] + 1, text: wrong()[1]}) : ''),
  };
}
