// Gateways as people see them: the state in a word and a shape, and why it is so.

import {h, icon, styles} from './dom.js';
import {t, message} from './text.js';
import {live} from './live.js';

await styles('lines');

const looks = {up: ['good', 'check'], trying: ['routing', 'refresh'], refused: ['bad', 'close'], unreachable: ['bad', 'alert'], off: ['', 'minus']};

// line is what the device tells of a gateway, by ID; of one that is new it may tell nothing yet.
export const line = (id) => live.lines.get(id) ?? {gateway: id, calls: 0};

// reason says why a gateway is not usable.
export const reason = (l) => (l.message?.template ? message(l.message.template, l.message.args) : l.reason ?? '');

// stateWord names a state; one that registers is registered rather than available.
export const stateWord = (l) => t(`lines.${l.state === 'up' && l.registered ? 'registered' : l.state ?? 'unknown'}`);

// stateTag shows a state.
export function stateTag(l) {
  const [kind, sign] = looks[l.state] ?? ['', 'minus'];
  return h('span', {class: `tag line-state ${kind}`}, icon(sign), stateWord(l));
}

// follow calls draw at every change of a gateway until the signal aborts.
export const followLines = (signal, draw) => live.follow(signal, (kind) => (kind === 'line' || kind === 'all') && draw());
