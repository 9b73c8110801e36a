// What an administrator should look after.

import {call} from './api.js';
import {api, message, t, day} from './text.js';

// ask reads a resource that the session may see; null when it does not answer.
const ask = async (session, module, path) => {
  if (!session.modules.includes(module)) return null;
  try {
    return (await call('GET', path, {quiet: true})).body;
  } catch {
    return null;
  }
};

// warnings lists {bad, calm, text, path}: what is wrong, and the screen that mends it. What is calm
// is only not set up yet.
export async function warnings(session) {
  const has = (m) => session.modules.includes(m);
  const lines = !has('general-information') && session.modules.find((m) => /^(gateway|transport|country|revision)/.test(m));
  const [emergency, status, license, certificates, mails] = await Promise.all([
    ask(session, lines, '/emergency-warnings'),
    ask(session, 'general-information', '/status'), ask(session, 'license', '/license'),
    ask(session, 'certificates', '/certificates'), ask(session, 'email-delivery', '/email-delivery/queue'),
  ]);
  const list = [];
  if (status?.problem) list.push({bad: true, text: api(status.problem), path: '/status', health: true});
  for (const w of status?.warnings ?? emergency ?? []) list.push({bad: w.screen === 'gateways' && !w.calm, calm: w.calm, text: message(w.template, w.args), path: w.screen && (status || has(w.screen)) && `/${w.screen}`});
  if (license && ['missing', 'expired'].includes(license.state)) list.push({text: t(`warning.license.${license.state}`), path: '/license'});
  const used = certificates?.find((c) => c.inUse);
  if (used && Date.parse(used.notAfter) < Date.now() + 30 * 86_400_000) {
    list.push({text: t('warning.certificate', {date: day(used.notAfter)}), path: '/certificates'});
  }
  const failed = mails?.filter((m) => m.state === 'failed').length ?? 0;
  if (failed) list.push({text: t('warning.mail', {n: failed}), path: '/email-delivery'});
  return list;
}
