// Calls from the page: the own phone rings, then the number is dialled.

import {button} from './dom.js';
import {t} from './text.js';
import {call} from './api.js';
import {attempt, toast} from './dialog.js';

// callButton calls who is named, at a number; nothing without a number or without the module.
export function callButton(session, number, name) {
  const dialled = String(number ?? '').replace(/[^0-9*#+]/g, '');
  return dialled && session.modules.includes('click-to-call') && button('icon', t('dial.call', {name}), () => attempt(async () => {
    await call('POST', '/profile/calls', {body: {number: dialled}});
    toast(t('dial.rings', {name}));
  }), {icon: 'phone'});
}
