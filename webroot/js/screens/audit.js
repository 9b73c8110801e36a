// System > Audit log, with filters.

import {h, put, button, uid} from '../dom.js';
import {t, has, when} from '../text.js';
import {dayStart, daily, asked} from '../time.js';
import {get} from '../api.js';
import {choices} from '../refs.js';
import {older} from '../older.js';

const action = (a) => (has(`audit.${a}`) ? t(`audit.${a}`) : a);

// filters are the inputs above the log; changed is called after an edit.
async function filters(changed) {
  const people = uid();
  const [users, actions] = await Promise.all([choices('users'), get('/audit/actions')]);
  const inputs = {
    actor: h('input', {type: 'search', list: people, autocapitalize: 'none', spellcheck: 'false'}),
    action: h('select', h('option', {value: ''}, t('audit.all')), actions.map((a) => [a, action(a)]).sort((a, b) => a[1].localeCompare(b[1])).map(([a, text]) => h('option', {value: a}, text))),
    since: h('input', daily), until: h('input', daily),
  };
  const clear = button('plain', t('list.clear'), () => {
    for (const i of Object.values(inputs)) i.value = '';
    changed();
  }, {icon: 'close'});
  const rows = Object.entries(inputs).map(([name, el]) => {
    el.id = uid();
    el.addEventListener('change', changed);
    return h('div.row', h('label', {for: el.id}, t(`audit.by.${name}`)), el);
  });
  const query = () => {
    const q = new URLSearchParams();
    for (const name of ['actor', 'action']) if (inputs[name].value.trim()) q.set(name, inputs[name].value.trim());
    if (asked(inputs.since)) q.set('since', dayStart(asked(inputs.since)));
    if (asked(inputs.until)) q.set('until', dayStart(asked(inputs.until), 1)); // the whole of that day
    return q.size ? `${q}&` : '';
  };
  return {query, el: h('div.filters', rows, clear, h('datalist', {id: people}, users.map((u) => h('option', {value: u.entry.user}, u.label))))};
}

export default async function show({content, signal}) {
  const box = h('div.content');
  const f = await filters(() => reload());
  put(content, [f.el, box]);
  const who = (e) => (e.as ? t('audit.as', {actor: e.actor, user: e.as}) : e.actor);
  const reload = await older({
    box, signal, resource: '/audit', query: f.query, number: (e) => e.id, empty: t('audit.empty'),
    draw: (e) => h('div', {class: `audit ${/failed|reveal/.test(e.action) ? 'notable' : ''}`},
      h('span.when', when(e.time)),
      h('span.what', h('strong', who(e)), ` ${action(e.action)}`, e.object && e.object !== e.actor && [' ', h('strong', e.object)]),
      h('span.muted', e.from)),
  });
}
