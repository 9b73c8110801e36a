// Search over screens, parameters, users and numbers.

import {h, icon, uid, styles} from './dom.js';
import {t} from './text.js';
import {get} from './api.js';
import {screens} from './menu.js';
import * as schema from './schema.js';

await styles('search');

const most = 12; // results of a kind

// index is everything that can be found at once: {kind, text, more, path, words}.
// Screens that ask the device for their parameters call add with them later.
function index(session, add) {
  const found = [];
  for (const s of screens(session)) {
    found.push({kind: 'screen', text: t(s.title), more: t(s.about), path: s.path});
    const all = (list) => list.map(({name, property, search}) => ({kind: 'parameter', text: schema.title(property, name),
      more: t(s.title), words: schema.help(property), path: s.path + (search ?? `?field=${name}`)}));
    found.push(...all(schema.parts({properties: schema.fields(s.takes)}).filter(([name]) => !s.except?.includes(name)).flatMap(([name, property]) => [{name, property},
      ...(property.type === 'object' ? schema.parts(property).map(([part, of]) => ({name: part, property: of, search: `?field=${name}`})) : [])])));
    s.parameters?.().then((later) => add(all(later)), () => {}); // what is not known is not found
  }
  return found;
}

const plain = (s) => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

// rank is how well an item fits: 0 not at all, more is better.
function rank(item, q) {
  const text = plain(item.text);
  if (text.startsWith(q) || plain(item.detail ?? '').startsWith(q)) return 4;
  if (text.split(/[\s(,.-]+/).some((w) => w.startsWith(q))) return 3;
  if (text.includes(q)) return 2;
  return plain(item.words ?? item.more ?? '').includes(q) ? 1 : 0;
}

// openSearch shows the search; go(path) is called with what was chosen. typed is what it begins with.
export function openSearch(session, go, typed = '') {
  if (document.querySelector('dialog.find')) return;
  const items = index(session, (more) => {
    items.push(...more);
    draw();
  });
  if (session.modules.includes('users')) {
    get('/user-names').then((list) => {
      for (const u of list) items.push({kind: 'user', text: u.displayName, more: [u.user, u.extension].filter(Boolean).join(' · '), words: `${u.user} ${u.extension}`, detail: u.extension, path: `/users/${u.id}`});
      draw();
    }, () => {});
  }
  let at = 0;
  let shown = [];
  const list = h('ul', {id: uid(), role: 'listbox', 'aria-label': t('search.results')});
  const input = h('input', {type: 'search', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': list.id, 'aria-autocomplete': 'list',
    'aria-label': t('search.label'), placeholder: t('search.label'), value: typed, autocomplete: 'off', spellcheck: 'false', oninput: () => {
      at = 0;
      draw();
    }});
  const nothing = h('p.muted', {role: 'status'});
  const box = h('dialog.find', {'aria-label': t('search.label')}, h('div.search', icon('search'), input), list, nothing);
  const close = () => {
    box.close();
    box.remove();
  };
  const choose = (item) => {
    close();
    go(item.path);
  };
  const mark = () => {
    [...list.querySelectorAll('[role=option]')].forEach((li, i) => {
      li.setAttribute('aria-selected', String(i === at));
      if (i === at) {
        input.setAttribute('aria-activedescendant', li.id);
        li.scrollIntoView({block: 'nearest'});
      }
    });
  };
  const draw = () => {
    const q = plain(input.value.trim());
    const ranked = items.map((item) => [q ? rank(item, q) : item.kind === 'screen' ? 1 : 0, item]).filter(([r]) => r).sort(([a], [b]) => b - a).map(([, item]) => item);
    shown = ['screen', 'user', 'parameter'].flatMap((kind) => ranked.filter((i) => i.kind === kind).slice(0, q ? most : 40));
    if (q) shown.sort((a, b) => rank(b, q) - rank(a, q));
    input.removeAttribute('aria-activedescendant');
    list.replaceChildren(...shown.map((item) => h('li', {role: 'option', id: uid(), onclick: () => choose(item)},
      icon({screen: 'screen', user: 'users', parameter: 'system'}[item.kind]), h('span', h('strong', item.text), h('span.muted', item.more)))));
    list.hidden = !shown.length;
    nothing.textContent = shown.length ? '' : t('search.nothing');
    mark();
  };
  box.addEventListener('keydown', (e) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[e.key];
    if (step && shown.length) {
      e.preventDefault();
      at = (at + step + shown.length) % shown.length;
      mark();
    } else if (e.key === 'Enter' && shown[at]) {
      e.preventDefault();
      choose(shown[at]);
    }
  });
  box.addEventListener('close', () => box.remove());
  box.addEventListener('mousedown', (e) => {
    if (e.target === box) close();
  });
  document.body.append(box);
  box.showModal();
  draw();
  input.focus();
  input.setSelectionRange(typed.length, typed.length);
}
