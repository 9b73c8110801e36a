// An input of rows of two choices: a permission and the group that it applies to.

import {h, button, icon, styles} from './dom.js';
import {t} from './text.js';
import {choices} from './refs.js';
import {refill} from './choose.js';
import * as schema from './schema.js';

await styles('grants');

// grants are rows of a permission and the group that it applies to.
export function grants({property, changed}) {
  const fields = property.items.properties;
  let rows = [];
  let lists = {permissionGroups: [], guiGroups: []};
  const box = h('ul.grants');
  const targets = (row) => (row.permission === 'show-gui' ? lists.guiGroups : lists.permissionGroups);
  const labels = ['permission', 'appliesTo'].map((k) => schema.title(fields[k], k));
  const row = (r, i) => {
    const to = h('select', {'aria-label': labels[1], onchange: () => {
      r.appliesTo = to.value;
      changed();
    }});
    const what = h('select', {'aria-label': labels[0], onchange: () => {
      r.permission = what.value;
      if (!targets(r).some((c) => c.id === r.appliesTo)) r.appliesTo = targets(r)[0]?.id ?? '';
      refill(to, targets(r), undefined, r.appliesTo);
      changed();
    }});
    refill(what, fields.permission.enum.map((v) => ({id: v, label: schema.word('permission', v)})), undefined, r.permission);
    refill(to, targets(r), undefined, r.appliesTo);
    return h('li', what, icon('right'), to, button('icon', t('grants.remove', {name: schema.word('permission', r.permission)}), () => {
      rows.splice(i, 1);
      draw();
      (box.children[i]?.querySelector('button.icon') ?? add).focus();
      changed();
    }, {icon: 'trash'}));
  };
  const add = button('plain small', t('grants.add'), () => {
    rows.push({permission: fields.permission.enum[0], appliesTo: lists.permissionGroups[0]?.id ?? ''});
    draw();
    box.lastElementChild.querySelector('select').focus();
    changed();
  }, {icon: 'plus'});
  const draw = () => box.replaceChildren(...(rows.length ? rows.map(row) : [h('li.muted', t('grants.empty'))]));
  Promise.all(Object.keys(lists).map(choices)).then(([permissionGroups, guiGroups]) => {
    lists = {permissionGroups, guiGroups};
    draw();
  });
  return {
    el: h('div', h('div.grants-head.muted', {'aria-hidden': 'true'}, labels.map((x) => h('span', x))), box, add),
    group: true, focus: () => (box.querySelector('select') ?? add).focus(),
    get: () => rows.map((r) => ({...r})),
    set: (v) => {
      rows = (v ?? []).map((r) => ({...r}));
      draw();
    },
  };
}
