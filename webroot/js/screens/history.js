// System > History: revisions of the configuration, what changed, and back.

import {h, button, icon, styles} from '../dom.js';
import {t, has, when, message, number} from '../text.js';
import {label, word} from '../schema.js';
import {call, get} from '../api.js';
import {live} from '../live.js';
import {attempt, confirm, toast} from '../dialog.js';
import {choices} from '../refs.js';
import {older} from '../older.js';

await styles('changes');
await styles('result');

// named returns a path for people: users[eva].firstName is "Users, eva: First
// name", mail.server is "E-mail delivery: SMTP server". An entry whose name
// changed stands as #ID.
function named(path, names) {
  const [, section, entry, rest] = /^(\w+)(?:\[(.*?)\](?=\.))?\.(.+)$/.exec(path) ?? [];
  if (!section) return path;
  const hint = section.replace(/s$/, '');
  const field = rest.split('.').map((part) => {
    const [, name, place] = /^(\w+)(?:\[(\d+)\])?/.exec(part) ?? [part, part];
    return label(name, hint) + (place === undefined ? '' : ` ${Number(place) + 1}`);
  }).join(', ');
  const who = entry?.startsWith('#') ? names.get(entry.slice(1)) ?? '' : entry?.replace(/#[a-z0-9]{16}$/, ''); // of rules with one name
  return `${[t(`part.${section}`), who].filter(Boolean).join(', ')}: ${field}`;
}

// value shows one side of a change. A switch that is off is not written at all;
// what has a name is written as an ID.
function value(path, text, other, names) {
  const isSwitch = [text, other].some((x) => x === 'true' || x === 'false');
  if (isSwitch) return t(text === 'true' ? 'value.on' : 'value.off');
  if (text === '') return h('span.muted', t('history.nothing'));
  if (/^guiGroups.*\]$/.test(path) && has(`module.${text}`)) return t(`module.${text}`);
  return names.get(text) ?? word(/\w+(?=(\[\d+\])?$)/.exec(path)?.[0], text);
}

// learn keeps the names of users that are gone: newer revisions are drawn
// first and tell how a user was called last.
function learn(r, names) {
  for (const c of r.changes) {
    const m = /^users\[#(.+?)\]\.user$/.exec(c.path);
    if (m && !names.has(m[1])) names.set(m[1], c.new || c.old);
  }
}

const atOnce = 50; // changes that are shown without being asked for

// changes shows old and new side by side.
function changes(r, names) {
  if (r.damaged) return h('div', {class: 'result bad'}, icon('alert'), h('p', {}, t('history.damaged')));
  const shown = r.changes.filter((c) => !/^\w+\[.*?\]\.id$/.test(c.path));
  if (!shown.length) return h('p.muted', t('history.noChange'));
  const row = (c) => h('tr', h('th', {scope: 'row'}, named(c.path, names)),
    h('td.old', {'data-label': t('history.old')}, value(c.path, c.old, c.new, names)),
    h('td.new', {'data-label': t('history.new')}, value(c.path, c.new, c.old, names)));
  const body = h('tbody', shown.slice(0, atOnce).map(row));
  const table = h('div.table-frame', h('table.diff',
    h('thead', h('tr', ['history.what', 'history.old', 'history.new'].map((k) => h('th', {scope: 'col'}, t(k))))),
    body));
  const all = shown.length > atOnce && button('plain', t('history.all', {count: number(shown.length)}), () => {
    body.append(...shown.slice(atOnce).map(row));
    all.remove();
  });
  return [table, all];
}

async function restore(r) {
  const found = await attempt(() => call('GET', `/revisions/${r.number}/effect`));
  if (!found) return;
  const {body: effect, etag} = found;
  const people = ['deleted', 'back', 'promoted', 'demoted'].filter((k) => effect[k].length)
    .map((k) => t(`history.${k}`, {names: effect[k].join(', ')}));
  const sure = await confirm({
    title: t('history.restoreTitle', {n: r.number}),
    text: [t('history.restoreText', {time: when(r.time)}), ...people, live.pending && t('history.pending'), t('history.restoreBack')].filter(Boolean),
    action: t('history.restore'), danger: effect.deleted.length > 0,
  });
  if (!sure) return;
  await attempt(async () => {
    await call('POST', `/revisions/${r.number}/restore`, {etag});
    toast(t('history.restored', {number: r.number}));
  });
}

export default async function show({content, signal}) {
  // What IDs stand for; users are called by their login names.
  const load = async () => new Map([
    ...(await Promise.all(['permissionGroups', 'guiGroups', 'provisioningGroups', 'certificates'].map(choices))).flat().map((x) => [x.id, x.label]),
    ...(await get('/user-names')).map((u) => [u.id, u.user]),
  ]);
  let names = await load();
  const opened = new Set();
  const draw = (r) => {
    learn(r, names);
    const current = r.number === live.revision;
    const box = h('details.revision', {open: opened.has(r.number), 'data-number': r.number},
      h('summary', icon('down'), h('span.number', r.number), h('span.comment', message(r.message.template, r.message.args) || t('history.noComment'), current && h('span.tag.good', t('history.current'))),
        h('span.by', `${r.author} · ${when(r.time)}`)),
      !current && !r.damaged && button('plain', t('history.restoreTo', {n: r.number}), () => restore(r)),
      changes(r, names));
    box.addEventListener('toggle', () => (box.open ? opened.add(r.number) : opened.delete(r.number)));
    return box;
  };
  const reload = await older({box: content, signal, resource: '/revisions', number: (r) => r.number, draw, empty: t('history.empty')});
  live.keep(signal, ['revision'], async () => {
    names = await load();
    await reload();
  });
}
