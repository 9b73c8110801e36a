// A list of numbered entries, newest first, that loads older ones on request.

import {h, button} from './dom.js';
import {t} from './text.js';
import {get} from './api.js';

const page = 30;

// older fills box with the entries of a resource and returns reload. number
// gives the number of an entry, draw its element.
export async function older({box, signal, resource, number, draw, empty}) {
  const list = h('div', {class: 'entries'});
  const foot = h('div', {class: 'older'});
  let last = 0;
  const more = async () => {
    const entries = await get(`${resource}?limit=${page}${last ? `&before=${last}` : ''}`);
    if (signal.aborted) return;
    if (!last && !entries.length) list.append(h('p', {class: 'muted'}, empty));
    list.append(...entries.map(draw));
    last = entries.length ? number(entries.at(-1)) : last;
    foot.replaceChildren(...(entries.length === page ? [button('plain', t('list.older'), more)] : []));
  };
  await more();
  box.replaceChildren(list, foot);
  return async () => {
    const entries = await get(`${resource}?limit=${page}`);
    if (signal.aborted) return;
    list.replaceChildren(...entries.map(draw));
    last = entries.length ? number(entries.at(-1)) : 0;
    foot.replaceChildren(...(entries.length === page ? [button('plain', t('list.older'), more)] : []));
  };
}
