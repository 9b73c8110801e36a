// A list of numbered entries, newest first, that loads older ones on request.

import {h, button, styles} from './dom.js';
import {t} from './text.js';
import {get} from './api.js';

await styles('log');

const page = 30;

// older fills box with the entries of a resource and returns reload. query()
// narrows them down ("actor=eva&"), number gives the number of an entry, draw
// its element.
export async function older({box, signal, resource, query, number, draw, empty}) {
  const list = h('div.entries');
  const foot = h('div.older');
  let asked = 0;
  const load = async (before) => {
    const mine = ++asked;
    const entries = await get(`${resource}?${query?.() ?? ''}limit=${page}${before ? `&before=${before}` : ''}`);
    if (signal.aborted || mine !== asked) return;
    if (!before) list.replaceChildren(...(entries.length ? [] : [h('p.muted.none', empty)]));
    list.append(...entries.map(draw));
    foot.replaceChildren(...(entries.length === page ? [button('plain', t('list.older'), () => load(number(entries.at(-1))))] : []));
  };
  await load(0);
  box.replaceChildren(list, foot);
  return () => load(0);
}
