// Messages: what others have sent to the own phones, and sending to people and groups.

import {h, put, fill, button, uid, styles} from '../dom.js';
import {t, when, preset} from '../text.js';
import {call, get} from '../api.js';
import {live} from '../live.js';
import {attempt, mayDelete, toast} from '../dialog.js';

await styles('messages');

const options = (kind, list) => list.map((r) => h('option', {value: `${kind} ${r.id}`}, kind === 'group' ? preset(r.name) : r.name));

// writer is the form that sends a message.
function writer({users, groups}, own) {
  const to = h('select', {id: uid(), required: true}, h('option', {value: ''}, t('messages.choose')),
    h('optgroup', {label: t('messages.people')}, options('user', users.filter((u) => u.id !== own))),
    groups.length > 0 && h('optgroup', {label: t('messages.groups')}, options('group', groups)));
  const body = h('textarea', {id: uid(), rows: 3, maxlength: 1000, required: true});
  const submit = async () => {
    const [kind, id] = to.value.split(' ');
    const {body: sent} = await call('POST', '/texts', {body: {to: kind === 'user' ? [id] : [], group: kind === 'group' ? id : '', body: body.value}});
    const refused = sent.refused.join(', ');
    if (sent.receivers) body.value = '';
    if (refused) toast(t('messages.refused', {names: refused}), 'bad');
    else toast(t('messages.sent', {n: sent.receivers}));
  };
  return h('form.card.message-form', {onsubmit: (e) => {
    e.preventDefault();
    attempt(submit);
  }}, h('h2', t('messages.new')),
  h('div.row', h('label', {for: to.id}, t('messages.to')), to),
  h('div.row', h('label', {for: body.id}, t('messages.body')), body),
  h('button.button.primary', {type: 'submit'}, t('messages.send')));
}

export default async function show({content, signal, session}) {
  content.classList.add('reading');
  const list = h('ul.messages', {tabindex: -1, 'aria-label': t('messages.received')});
  const remove = async (m) => {
    if (!await mayDelete(t('messages.deleteTitle'), t('messages.deleteText', {name: m.name || m.number}))) return;
    await attempt(() => call('DELETE', `/profile/texts/${m.id}`));
    await draw();
    (list.querySelector('button') ?? list).focus();
  };
  const draw = async () => {
    const messages = await get('/profile/texts');
    if (signal.aborted) return;
    fill(list, messages.map((m) => h('li.message',
      h('p.muted', h('strong', [m.name, m.number].filter(Boolean).join(' ')), ` · ${when(m.time)}`, !m.delivered && ` · ${t('messages.kept')}`),
      h('p.text', m.body),
      button('icon quiet', t('entry.deleteAction'), () => remove(m), {icon: 'trash'}))),
    !messages.length && h('li.muted', t('messages.none')));
  };
  const receivers = await get('/texts/receivers');
  put(content, [writer(receivers, session.id), h('section.card', h('h2', t('messages.received')), list)]);
  await draw();
  live.keep(signal, ['texts'], draw);
}
