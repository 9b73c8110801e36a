// Tabs that work by keyboard.

import {h, styles} from './dom.js';

await styles('tabs');

// tabs makes a row of tabs [{id, text, count}] of which one is chosen; choose
// (id) is called for another, and draws the row anew.
export function tabs(label, items, chosen, choose) {
  const row = h('div.tabs', {role: 'tablist', 'aria-label': label, onkeydown: (e) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
    if (!step) return;
    const i = items.findIndex((x) => x.id === chosen);
    const {parentElement} = row;
    choose(items[(i + step + items.length) % items.length].id);
    parentElement.querySelector('[role=tab][aria-selected=true]').focus();
  }}, items.map((x) => h('button', {type: 'button', role: 'tab', 'aria-selected': String(x.id === chosen), tabindex: x.id === chosen ? '0' : '-1',
    onclick: () => choose(x.id)}, x.text, x.count > 0 && h('span.tag', x.count))));
  return row;
}
