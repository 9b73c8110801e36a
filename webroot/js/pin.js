// The change of the own PIN, forced or not.

import {h, button} from './dom.js';
import {t} from './text.js';
import {call} from './api.js';
import {sheet, toast} from './dialog.js';
import {form, pin, welcome} from './login.js';

function pinForm(old, done) {
  const inputs = {};
  if (old === null) inputs.old = pin('pin.old', 'current-password');
  inputs.new = pin('pin.new', 'new-password');
  inputs.again = pin('pin.again', 'new-password');
  return form(inputs, t('pin.action'), async () => {
    if (inputs.new.el.value !== inputs.again.el.value) {
      inputs.again.error = t('pin.differs');
      inputs.again.el.focus();
      return;
    }
    await call('PUT', '/profile/pin', {body: {old: old ?? inputs.old.el.value, new: inputs.new.el.value}, quiet: old !== null});
    await done();
  });
}

// forcedPinScreen comes after the login with a PIN that must be changed. old
// is that PIN, or null when the page was loaded anew.
export function forcedPinScreen(old, done, logout) {
  const f = pinForm(old, done);
  queueMicrotask(() => f.el.querySelector('input').focus());
  return welcome(t('pin.forcedTitle'), h('p.lead', t('pin.forcedText')), f.el,
    button('quiet wide', t('profile.logout'), logout));
}

// pinSheet changes the PIN on request.
export function pinSheet() {
  const f = pinForm(null, () => {
    s.close();
    toast(t('pin.done'));
  });
  const s = sheet({title: t('profile.changePin'), content: [h('p.lead', t('pin.text')), f.el]});
  f.el.querySelector('input').focus();
}
