// Users & extensions > Permissions > GUI: which modules of the page are shown.

import {h, button, styles} from '../dom.js';
import {t, preset} from '../text.js';
import {get} from '../api.js';
import {resourceScreen} from '../resource.js';

await styles('rows');

const named = (id) => t(`module.${id}`);
let all = []; // modules in the order of the menu, once they are read

// tree is a switch for each module. One that goes off takes those below along;
// one that goes on, those above.
function tree({changed}) {
  let on = new Set();
  const count = h('p.muted', {role: 'status'});
  const depth = (m) => (m?.parent ? 1 + depth(all.find((x) => x.id === m.parent)) : 0);
  const below = (id) => all.filter((m) => m.parent === id).flatMap((m) => [m.id, ...below(m.id)]);
  const above = (id) => {
    const {parent} = all.find((m) => m.id === id);
    return parent ? [parent, ...above(parent)] : [];
  };
  const inputs = new Map(all.map((m) => [m.id, h('input', {type: 'checkbox', role: 'switch', class: 'switch', id: `module-${m.id}`, onchange: (e) => {
    flip(m.id, e.target.checked);
    changed();
  }})]));
  const flip = (id, wanted) => {
    for (const x of [id, ...(wanted ? above(id) : below(id))]) (wanted ? on.add(x) : on.delete(x));
    draw();
  };
  const draw = () => {
    for (const [id, input] of inputs) input.checked = on.has(id);
    count.textContent = t('gui.count', {on: on.size, all: all.length});
  };
  const every = (wanted) => {
    on = new Set(wanted ? all.map((m) => m.id) : []);
    draw();
    changed();
  };
  const area = (a) => h('section', h('h3', t(`value.area.${a}`)), h('ul.modules', all.filter((m) => m.area === a).map((m) => h('li', {class: `depth-${depth(m)}`},
    h('span.dashes', {'aria-hidden': 'true'}, '– '.repeat(depth(m))), h('label', {for: `module-${m.id}`}, named(m.id)), inputs.get(m.id)))));
  return {
    el: h('div.module-tree', h('div.choose-head', count, button('plain small', t('gui.all'), () => every(true)), button('plain small', t('gui.none'), () => every(false))), area('user'), area('admin')),
    group: true, focus: () => inputs.values().next().value.focus(),
    get: () => all.filter((m) => on.has(m.id)).map((m) => m.id),
    set: (v) => {
      on = new Set(v);
      draw();
    },
  };
}

const called = (g) => preset(g.title);

const screen = resourceScreen({
  resource: '/gui-groups', adding: 'gui.new', empty: 'gui.empty',
  called, deleteText: () => t('gui.deleteText'), fixed: (g) => g.predefined,
  list: {
    of: 'GUIGroup', columns: () => [{key: 'title', sort: called, cell: (g) => h('a', {href: `/gui-groups/${g.id}`}, called(g))}, {key: 'modules', label: t('gui.modules'), class: 'number', sort: (g) => g.modules.length, cell: (g) => t('gui.count', {on: g.modules.length, all: all.length})}],
    names: (g) => [called(g)],
  },
  form: {sections: {'': ['title', 'modules']}, options: {modules: {control: tree}}},
  blank: () => ({modules: ['login', 'logout']}),
});

export default async function show(context) {
  all = await get('/gui-modules');
  return screen(context);
}
