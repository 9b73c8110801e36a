// System > Network > E-mail delivery: settings, a test mail, and what waits.
// Exports: options (of the fields), sections, sent, tester, and the screen.

import {h, put, button, icon, uid} from '../dom.js';
import {t, message, when} from '../text.js';
import {call, get, told} from '../api.js';
import {live} from '../live.js';
import * as schema from '../schema.js';
import {Form} from '../form.js';
import {List} from '../list.js';
import {confirm, toast} from '../dialog.js';

const login = (v) => v.enabled && v.authentication;
const token = (v) => login(v) && v.method === 'xoauth2';
const shown = (when) => ({when});

export const sections = {
  '': ['enabled', 'senderAddress', 'senderName', 'server', 'port', 'security'],
  'mail.login': ['authentication', 'method', 'userName', 'password', 'oauthTokenUrl', 'oauthClientId', 'clientSecret', 'oauthScope', 'allowPlaintextPassword'],
};

// sent are the values that the device takes; a secret that was not typed stays.
export const sent = (values) => Object.fromEntries(Object.values(sections).flat().map((n) => [n, values[n]]));

// options says which fields matter for which settings.
export const options = (stored) => ({
  ...Object.fromEntries(['senderAddress', 'senderName', 'server', 'port', 'security', 'authentication'].map((n) => [n, shown((v) => v.enabled)])),
  ...Object.fromEntries(['method', 'userName'].map((n) => [n, shown(login)])),
  ...Object.fromEntries(['oauthTokenUrl', 'oauthClientId', 'oauthScope'].map((n) => [n, shown(token)])),
  password: {when: login, help: t(stored.passwordSet ? 'mail.passwordSet' : 'mail.password')},
  clientSecret: {when: token, help: t(stored.clientSecretSet ? 'mail.secretSet' : 'mail.secret')},
  allowPlaintextPassword: shown((v) => login(v) && v.security === 'none'),
});

// tester sends a test mail with settings() and says how far it came.
export function tester({to, settings}) {
  const id = uid();
  const input = h('input', {id, type: 'email', inputmode: 'email', autocomplete: 'email', value: to ?? ''});
  const out = h('div', {role: 'status'});
  const tell = (kind, sign, texts) => out.replaceChildren(h('div', {class: `result ${kind}`}, icon(sign), h('div', {}, texts.filter(Boolean).map((x) => h('p', {}, x)))));
  const send = button('plain', t('mail.send'), async () => {
    if (!input.value.trim()) {
      input.focus();
      return;
    }
    send.disabled = true;
    tell('wait', 'refresh', [t('mail.sending')]);
    try {
      const {body: r} = await call('POST', '/email-delivery/test', {body: {to: input.value.trim(), settings: settings()}});
      if (r.ok) tell('good', 'check', [t('mail.sent', {to: input.value.trim()})]);
      else {
        tell('bad', 'alert', [r.step && t('mail.failedAt', {step: t(`mail.step.${r.step}`)}),
          message(r.template, r.args), r.advice.template && message(r.advice.template, r.advice.args)]);
      }
    } catch (err) {
      tell('bad', 'alert', [told(err), ...Object.values(err.fields?.() ?? {})]);
    } finally {
      send.disabled = false;
    }
  });
  return h('div', {class: 'tester'}, h('label', {for: id}, t('mail.testTo')), h('div', {class: 'beside'}, input, send), out);
}

// queue lists the mails that wait or were given up.
function queue(signal) {
  const list = new List({
    name: t('mail.queue'), sort: 'created', empty: t('mail.queueEmpty'),
    columns: [
      {key: 'to', label: schema.label('to', 'MailJob'), sort: (j) => j.to, cell: (j) => [h('strong', {}, j.to), h('span', {class: 'below'}, j.subject)]},
      {key: 'subject', label: schema.label('subject', 'MailJob'), class: 'wide', sort: (j) => j.subject, cell: (j) => j.subject},
      {key: 'state', label: schema.label('state', 'MailJob'), sort: (j) => j.state, text: (j) => [j.state, j.reason, j.next, j.attempts],
        cell: (j) => [h('span', {class: `tag ${j.state === 'failed' ? 'bad' : ''}`}, schema.word('state', j.state)), j.reason && h('span', {class: 'reason'}, j.reason),
          j.state === 'waiting' && j.attempts > 0 && h('span', {class: 'reason muted'}, t('mail.next', {time: when(j.next)}))]},
      {key: 'created', label: schema.label('created', 'MailJob'), class: 'wide', sort: (j) => j.created, cell: (j) => when(j.created)},
    ],
    actions: (j) => [{icon: 'trash', label: t('mail.delete', {to: j.to}), run: async () => {
      const sure = await confirm({title: t('mail.deleteTitle', {to: j.to}), text: t('mail.deleteText'), action: t('entry.deleteAction'), danger: true});
      if (!sure) return;
      await call('DELETE', `/email-delivery/queue/${j.id}`).catch((err) => toast(told(err), 'bad'));
      await load().catch(() => {}); // a lost connection has its banner
    }}],
  });
  const load = async () => {
    const jobs = await get('/email-delivery/queue');
    if (!signal.aborted) list.rows = jobs;
  };
  live.follow(signal, (kind) => {
    if (kind === 'mail' || kind === 'all') load().catch(() => {}); // as above
  });
  return {list, load};
}

export default {
  path: '/email-delivery', module: 'email-delivery', title: 'mail.title', about: 'mail.about',
  parameters: () => Object.values(sections).flat().map((name) => ({name, property: schema.property(schema.body('PUT', '/email-delivery'), name)})),
  async show({content, signal}) {
    const [state, me] = await Promise.all([call('GET', '/email-delivery'), get('/profile').catch(() => ({}))]);
    const helps = (stored) => Object.entries(options(stored)).filter(([, o]) => o.help).forEach(([n, o]) => {
      form.field(n).help = o.help;
    });
    const form = new Form({
      schema: schema.body('PUT', '/email-delivery'), sections, values: state.body, options: options(state.body),
      fresh: async () => {
        const now = await call('GET', '/email-delivery');
        return {values: now.body, take: () => {
          state.etag = now.etag;
        }};
      },
      save: async (values) => {
        const after = await call('PUT', '/email-delivery', {body: values, etag: state.etag});
        state.etag = after.etag;
        helps(after.body);
        toast(t('settings.saved'));
        return after.body;
      },
    });
    form.follow(signal);
    const {list, load} = queue(signal);
    content.classList.add('reading');
    content.replaceChildren();
    put(content, [h('section', {class: 'card'}, form),
      h('section', {class: 'card'}, h('h2', {}, t('mail.test')), h('p', {class: 'help'}, t('mail.testHelp')), tester({to: me.email, settings: () => form.values})),
      h('h2', {}, t('mail.queue')), list]);
    await load();
  },
};
