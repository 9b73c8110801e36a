// Questions, side sheets and short notices. The dialog element keeps the focus
// inside and gives it back.

import {h, put, button, icon, uid} from './dom.js';
import {t} from './text.js';

// confirm asks before something that matters. It resolves to true or false.
export function confirm({title, text, action, danger}) {
  return new Promise((done) => {
    const id = uid();
    const box = h('dialog', {class: 'ask', 'aria-labelledby': id});
    let answered = false;
    const answer = (yes) => {
      if (answered) return;
      answered = true;
      box.close();
      box.remove();
      done(yes);
    };
    box.addEventListener('close', () => answer(false)); // by the browser, which does not always ask
    box.addEventListener('cancel', (e) => {
      e.preventDefault();
      answer(false);
    });
    const no = button('plain', t('action.cancel'), () => answer(false));
    put(box, [
      h('h2', {id}, title),
      [text].flat().map((p) => h('p', {}, p)),
      h('div', {class: 'actions'}, no, button(danger ? 'danger' : 'primary', action, () => answer(true))),
    ]);
    document.body.append(box);
    box.showModal();
    no.focus();
  });
}

// sheet opens a panel over the screen. leave is asked before it closes by the
// user's hand; closed is called after.
export function sheet({title, content, leave, closed}) {
  const id = uid();
  const box = h('dialog', {class: 'sheet', 'aria-labelledby': id});
  let over = false;
  let asking = false;
  const close = () => {
    if (over) return;
    over = true;
    box.close();
    box.remove();
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
  put(box, h('div', {class: 'sheet-body'},
    h('header', {}, h('h2', {id, tabindex: '-1'}, title), button('icon', t('action.close'), ask, {icon: 'close'})),
    content));
  document.body.append(box);
  box.showModal();
  (box.querySelector('[autofocus]') ?? box.querySelector('h2')).focus();
  return {box, close, ask};
}

// toast tells in passing what was done.
export function toast(text, kind = 'ok') {
  let bar = document.querySelector('.toasts');
  if (!bar) document.body.append((bar = h('div', {class: 'toasts', role: 'status', popover: 'manual'})));
  const note = h('div', {class: `toast ${kind}`}, icon(kind === 'ok' ? 'check' : 'alert'), h('span', {}, text));
  bar.replaceChildren(note); // the newest says how things stand
  bar.hidePopover?.(); // shown again, it lies above an open dialog
  bar.showPopover?.();
  setTimeout(() => {
    if (!note.isConnected) return;
    note.remove();
    bar.hidePopover?.();
  }, 5000);
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
