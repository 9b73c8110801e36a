// System > Network > E-mail delivery: settings, a test mail, and what waits.

import {h, fill} from '../dom.js';
import {t, when} from '../text.js';
import {call, get} from '../api.js';
import {live} from '../live.js';
import {word} from '../schema.js';
import {settingsForm} from '../form.js';
import {List} from '../list.js';
import {attempt, mayDelete} from '../dialog.js';
import {sections, options, tester} from '../mail.js';

// queue lists the mails that wait or were given up.
function queue(signal) {
  const list = new List({
    name: t('mail.queue'), of: 'MailJob', sort: 'created', empty: t('mail.queueEmpty'),
    columns: [
      {key: 'to', cell: (j) => [h('strong', j.to), h('span.below', j.subject)]},
      {key: 'subject', class: 'wide'},
      {key: 'state', text: (j) => [j.state, j.reason, j.next, j.attempts],
        cell: (j) => [h('span', {class: `tag ${j.state === 'failed' ? 'bad' : ''}`}, word('state', j.state)), j.reason && h('span.reason', j.reason),
          j.state === 'waiting' && j.attempts > 0 && h('span.reason.muted', t('mail.next', {time: when(j.next)}))]},
      {key: 'created', class: 'wide', cell: (j) => when(j.created)},
    ],
    actions: (j) => [j.state === 'failed' && {icon: 'refresh', label: t('mail.retry', {to: j.to}), run: async () => {
      await call('POST', `/email-delivery/queue/${j.id}/retry`).then(() => toast(t('mail.retried')), (err) => toast(told(err), 'bad'));
      await load().catch(() => {}); // a lost connection has its banner
    }}, {icon: 'trash', label: t('mail.delete', {to: j.to}), run: async () => {
      if (!(await mayDelete(t('mail.deleteTitle', {to: j.to}), t('mail.deleteText')))) return;
      await attempt(() => call('DELETE', `/email-delivery/queue/${j.id}`));
      await load().catch(() => {}); // as above
    }}].filter(Boolean),
  });
  const load = async () => {
    const jobs = await get('/email-delivery/queue');
    if (!signal.aborted) list.rows = jobs;
  };
  live.keep(signal, ['mail'], load);
  return {list, load};
}

export default async function show({content, signal}) {
  const me = await get('/profile').catch(() => ({}));
  const {form} = await settingsForm({path: '/email-delivery', signal, sections, options, saved: (entry) => {
    for (const [n, o] of Object.entries(options(entry))) if (o.help) form.field(n).help = o.help;
  }});
  const {list, load} = queue(signal);
  content.classList.add('reading');
  fill(content, h('section.card', form),
    h('section.card', h('h2', t('mail.test')), h('p.help', t('mail.testHelp')), tester({to: me.email, settings: () => form.values, field: (n) => form.field(n)})),
    h('h2', t('mail.queue')), list);
  await load();
}
