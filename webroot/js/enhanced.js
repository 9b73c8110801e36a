// The enhanced parameters of a gateway, which the device keeps as a list of key=value.

import {h, button} from './dom.js';
import {t} from './text.js';
import {refill} from './choose.js';
import {Field} from './field.js';
import * as schema from './schema.js';

const shape = 'GatewayOptions';
const written = (v) => (typeof v === 'boolean' ? (v ? 'yes' : 'no') : String(v ?? ''));
const read = (p, text) => (p.type === 'boolean' ? text === 'yes' : Number(text));

// enhanced shows those that are set, each as a field, and offers the others.
export function enhanced({changed}) {
  const keys = Object.keys(schema.of(shape)).filter((k) => !k.startsWith('$'));
  const label = (k) => schema.title(schema.property(shape, k), k);
  let rows = []; // {key, field}
  const box = h('div.content');
  const more = h('select', {'aria-label': t('enhanced.add'), onchange: () => {
    const key = more.value;
    if (!key) return;
    const p = schema.property(shape, key);
    put(key, p.type === 'boolean' ? !p.default : p.default); // what differs is what is wanted
    draw();
    rows.at(-1).field.focus();
    changed();
  }});
  const put = (key, value) => {
    const field = new Field(shape, key);
    field.value = value;
    field.addEventListener('edit', (e) => {
      e.stopPropagation();
      changed();
    });
    rows.push({key, field, el: h('div.enhanced', field, button('icon', t('enhanced.remove', {name: label(key)}), () => {
      rows = rows.filter((r) => r.key !== key);
      draw();
      more.focus();
      changed();
    }, {icon: 'trash'}))});
  };
  const draw = () => {
    box.replaceChildren(...rows.map((r) => r.el));
    refill(more, keys.filter((k) => !rows.some((r) => r.key === k)).map((id) => ({id, label: label(id)})), t('enhanced.add'), '');
  };
  return {
    el: h('div', box, more), group: true, focus: () => (rows.find((r) => r.field.error)?.field ?? more).focus(),
    get: () => rows.map(({key, field}) => `${key}=${written(field.value)}`),
    set: (list) => {
      rows = [];
      for (const [key, text] of (list ?? []).map((x) => x.split(/=(.*)/s))) if (keys.includes(key)) put(key, read(schema.property(shape, key), text));
      draw();
    },
    check: () => (rows.filter((r) => !r.field.validate()).length ? t('enhanced.wrong') : ''),
  };
}
