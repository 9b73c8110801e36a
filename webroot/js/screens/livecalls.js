// System status > Calls of now: who talks with whom, and a way to end it.

import {t} from '../text.js';
import {call} from '../api.js';
import {live} from '../live.js';
import {callList} from '../livecalls.js';
import {ticking} from '../time.js';
import {attempt, confirm, toast} from '../dialog.js';

const sides = (c) => ({from: c.fromName || c.from || t('calls.hidden'), to: c.to});

async function hangUp(c) {
  const sure = await confirm({title: t('calls.hangUpTitle', sides(c)), text: t('calls.hangUpText'), action: t('calls.hangUp'), danger: true});
  if (sure) {
    await attempt(async () => {
      await call('DELETE', `/calls/${encodeURIComponent(c.id)}`);
      toast(t('calls.hungUp'));
      document.querySelector('h1').focus();
    });
  }
}

export default function show({content, signal, app, session}) {
  const why = (c) => ({icon: 'search', label: t('calls.why', sides(c)), run: () => app.go(`/call-traces/${encodeURIComponent(c.id)}`)});
  const list = callList({actions: (c) => [...(session.modules.includes('call-traces') ? [why(c)] : []), {icon: 'close', label: t('calls.hangUpOne', sides(c)), run: () => hangUp(c)}]});
  content.append(list);
  const draw = () => {
    list.rows = [...live.calls.values()];
  };
  draw();
  live.follow(signal, draw);
  ticking(content, signal);
}
