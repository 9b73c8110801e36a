// Questions, side sheets and short notices. The dialog element keeps the focus inside and gives it
// back.

import {h, put, button, icon, uid} from './dom.js';
import {t} from './text.js';
import {told} from './api.js';

// confirm asks before something that matters. It resolves to true or false.
// typed is a word that must be typed first, for what cannot be undone. stay is said instead of Cancel.
export function confirm({title, text, action, danger, typed, stay = t('action.cancel')}) {
  return new Promise((done) => {
    const id = uid();
    const box = h('dialog.ask', {'aria-labelledby': id});
    const answer = (yes) => { // the first one counts
      box.close();
      box.remove();
      done(yes);
    };
    box.addEventListener('close', () => answer(false)); // by the browser, which does not always ask
    box.addEventListener('cancel', (e) => {
      e.preventDefault();
      answer(false);
    });
    const no = button('plain', stay, () => answer(false));
    const yes = button(danger ? 'danger' : 'primary', action, () => answer(true), {disabled: Boolean(typed)});
    const word = typed && h('input', {type: 'text', id: `${id}w`, autocomplete: 'off', oninput: () => {
      yes.disabled = word.value.trim() !== typed;
    }});
    put(box, [
      h('h2', {id}, title),
      [text].flat().map((p) => h('p', p)),
      word && h('p', h('label', {for: word.id}, t('confirm.type', {word: typed})), word),
      h('div.actions', no, yes),
    ]);
    document.body.append(box);
    box.showModal();
    (word || no).focus();
  });
}

// mayDelete asks before a thing is deleted.
export const mayDelete = (title, text) => confirm({title, text, action: t('entry.deleteAction'), danger: true});

// mayDiscard asks before changes that are not saved are lost.
export const mayDiscard = () => confirm({title: t('form.leaveTitle'), text: t('form.leaveText'), action: t('form.leave'), stay: t('form.stay'), danger: true});

// attempt awaits work() and resolves to what it gives. When it fails, that is told in passing, and
// it resolves to undefined.
export async function attempt(work) {
  try {
    return await work();
  } catch (err) {
    toast(told(err), 'bad');
    return undefined;
  }
}

// sheet opens a panel over the screen. leave is asked before it closes by the
// user's hand; closed is called after.
export function sheet({title, content, leave, closed, wide}) {
  const id = uid();
  const box = h('dialog', {class: wide ? 'sheet wide-sheet' : 'sheet', 'aria-labelledby': id});
  let over = false;
  let asking = false;
  const close = () => {
    if (over) return;
    over = true;
    box.close();
    const bar = box.querySelector('.toasts');
    if (bar) document.body.append(bar);
    box.remove();
    bar?.showPopover?.();
  };
  const ask = async () => {
    if (over || asking) return;
    asking = true;
    try {
      if (leave && !(await leave())) return;
    } finally {
      asking = false;
    }
    if (over) return;
    close();
    closed?.();
  };
  // A second Escape without a click between closes a dialog without asking.
  // What was typed comes back, and the question with it.
  box.addEventListener('close', () => {
    if (over || !box.isConnected) return;
    box.showModal();
    for (const d of document.querySelectorAll('dialog.ask[open]')) d.close(); // it would lie below
    ask();
  });
  box.addEventListener('cancel', (e) => {
    if (!e.cancelable) return; // it closes all the same
    e.preventDefault();
    ask();
  });
  box.addEventListener('mousedown', (e) => {
    if (e.target === box) ask();
  });
  put(box, h('div.sheet-body',
    h('header', h('h2', {id, tabindex: '-1'}, title), button('icon', t('action.close'), ask, {icon: 'close'})),
    content));
  document.body.append(box);
  box.showModal();
  (box.querySelector('[autofocus]') ?? box.querySelector('h2')).focus();
  return {box, close, ask};
}

// toast tells in passing what was done. action is {label, run}: a way back, for
// which there is a minute.
export function toast(text, kind = 'ok', action) {
  let bar = document.querySelector('.toasts');
  if (!bar) document.body.append((bar = h('div.toasts', {role: 'status', popover: 'manual'})));
  const over = () => {
    if (!note.isConnected) return;
    note.remove();
    bar.hidePopover?.();
  };
  const note = h('div', {class: `toast ${kind}`}, icon(kind === 'ok' ? 'check' : 'alert'), h('span', text),
    action && button('undo', action.label, () => {
      over();
      action.run();
    }));
  const top = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  if (bar.parentElement !== top) top.append(bar); // beside an open dialog it could not be clicked
  bar.replaceChildren(note); // the newest says how things stand
  bar.hidePopover?.(); // shown again, it lies above an open dialog
  bar.showPopover?.();
  setTimeout(over, action ? 60_000 : 5000);
}

// copy puts a value on the clipboard.
export async function copy(value) {
  try {
    await navigator.clipboard.writeText(value);
    toast(t('action.copied'));
  } catch {
    toast(t('action.notCopied'), 'bad');
  }
}
