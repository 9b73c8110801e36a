// Calls from the page: the own phone rings, then the number is dialled.

import {button} from './dom.js';
import {t} from './text.js';
import {call} from './api.js';
import {attempt, toast} from './dialog.js';

// dialable is a number without the signs between its digits, and the (0) of +49 (0)30.
export const dialable = (number) => String(number ?? '').replace(/^(\s*(?:\+|00)[\d\s]*)\(0\)/, '$1').replace(/[^0-9*#+]/g, '');

// callActions are those of a row of a list, as List takes them: one that calls who is named, at a
// number; none without a number or without the module.
export function callActions(session, number, name) {
  const dialled = dialable(number);
  if (!dialled || !session.modules.includes('click-to-call')) return [];
  return [{icon: 'phone', label: t('dial.call', {name}), run: () => attempt(async () => {
    await call('POST', '/profile/calls', {body: {number: dialled}});
    toast(t('dial.rings', {name}));
  })}];
}

// callButton is the same as a button.
export const callButton = (...of) => callActions(...of).map((a) => button('icon', a.label, a.run, {icon: a.icon}));
