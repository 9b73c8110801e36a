// The settings of e-mail delivery: which matter when, and a test of them.

import {h, button, icon, uid, styles} from './dom.js';
import {t, message, sentence} from './text.js';
import {call, told} from './api.js';

await styles('result');

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

// tester sends a test mail with settings() and says how far it came. field(name) is that of a
// setting.
export function tester({to, settings, field}) {
  const id = uid();
  const input = h('input', {id, type: 'email', inputmode: 'email', autocomplete: 'email', value: to ?? ''});
  const out = h('div', {role: 'status'});
  const tell = (kind, sign, texts) => out.replaceChildren(h('div', {class: `result ${kind}`}, icon(sign), h('div', texts.filter(Boolean).map((x) => h('p', x)))));
  const send = button('plain', t('mail.send'), async () => {
    if (!input.value.trim()) {
      input.focus();
      return;
    }
    const values = settings();
    if (!values.enabled) {
      tell('bad', 'alert', [t('mail.switchOn')]);
      field('enabled').focus();
      return;
    }
    send.disabled = true;
    tell('wait', 'refresh', [t('mail.sending')]);
    try {
      const {body: r} = await call('POST', '/email-delivery/test', {body: {to: input.value.trim(), settings: values}});
      if (r.ok) tell('good', 'check', [t('mail.sent', {to: input.value.trim()})]);
      else {
        tell('bad', 'alert', [r.step && t('mail.failedAt', {step: t(`mail.step.${r.step}`)}),
          message(r.template, r.args), r.advice.template && message(r.advice.template, r.advice.args)]);
      }
    } catch (err) {
      const wrong = Object.entries(err.fields?.() ?? {}).map(([name, text]) => [field(name.replace('settings.', '')), text]);
      for (const [f, text] of wrong) if (f) f.error = text;
      tell('bad', 'alert', [told(err), ...wrong.map(([f, text]) => sentence(text, f?.label))]);
      wrong.find(([f]) => f)?.[0].focus();
    } finally {
      send.disabled = false;
    }
  });
  return h('div.tester', h('label', {for: id}, t('mail.testTo')), h('div.beside', input, send), out);
}
