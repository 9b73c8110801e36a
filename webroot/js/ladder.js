// The ladder of a call: a column for each side, the device between them, an arrow for each message.

import {s} from './svg.js';
import {t} from './text.js';
import {timeOfDay} from './time.js';

const row = 30;
const top = 46;
const clock = 92; // room for the time

const short = (text, n) => (text.length > n ? `${text.slice(0, n - 1)}…` : text);

// told is what stands on an arrow: the method, or the status with its reason.
const told = (m) => (m.start.startsWith('SIP/') ? m.start.slice(8) : m.method);

// kind is the class of an arrow. That a password is asked for is no trouble.
function kind(m) {
  const status = /^SIP\/\S+ (\d+)/.exec(m.start)?.[1] ?? '0';
  return ['401', '407'].includes(status) ? 'wait' : ['request', 'wait', 'good', 'wait'][status[0]] ?? 'bad';
}

// ladder draws messages; opened(message, name) is called for one that is chosen.
export function ladder({legs, messages}, opened) {
  const used = legs.map((leg, i) => ({...leg, i, address: messages.find((m) => m.leg === i)?.remote})).filter((l) => l.address);
  const order = [used[0], null, ...used.slice(1)]; // the caller, the device, those who were called
  // As wide as there is room for, as long as an address can be read.
  const column = Math.max(130, Math.min(190, Math.floor((document.querySelector('main').clientWidth - clock - 108) / order.length)));
  const fit = Math.floor(column / 6.5); // characters
  const x = (leg) => clock + column / 2 + column * order.findIndex((l) => (leg === null ? l === null : l?.i === leg));
  const width = clock + column * order.length;
  const height = top + row * messages.length + 12;
  const name = (l) => (l ? l.number || l.name || l.address : t('ladder.device'));
  const heads = order.map((l, i) => {
    const at = clock + column / 2 + column * i;
    return [s('line', {class: 'life', x1: at, y1: top - 6, x2: at, y2: height}),
      s('text', {class: 'side', x: at, y: 16, 'text-anchor': 'middle'}, short(name(l), fit)),
      s('text', {class: 'where', x: at, y: 32, 'text-anchor': 'middle'}, short(l ? l.address : messages[0]?.local ?? '', fit))];
  });
  const arrows = messages.map((m, i) => {
    const leg = used.find((l) => l.i === m.leg);
    const [from, to] = m.sent ? [x(null), x(m.leg)] : [x(m.leg), x(null)];
    const y = top + row * (i + 1) - 8;
    const tip = to > from ? -7 : 7;
    const said = t('ladder.message', {time: timeOfDay(m.at), from: m.sent ? t('ladder.device') : name(leg), to: m.sent ? name(leg) : t('ladder.device'), what: told(m)});
    const open = () => {
      for (const g of arrows) g.setAttribute('tabindex', g === arrows[i] ? 0 : -1);
      opened(m, said);
    };
    return s('g', {class: `arrow ${kind(m)}`, role: 'button', tabindex: i ? -1 : 0, 'aria-label': said, onclick: open, onkeydown: (e) => {
      const next = {ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: messages.length - 1}[e.key];
      if (e.key === 'Enter' || e.key === ' ') open();
      else if (arrows[next]) {
        arrows[i].setAttribute('tabindex', -1);
        arrows[next].setAttribute('tabindex', 0);
        arrows[next].focus();
      } else return;
      e.preventDefault();
    }},
    s('rect', {class: 'hit', x: 0, y: y - 20, width, height: row}),
    s('text', {class: 'where', x: 4, y: y + 4}, `${timeOfDay(m.at)} `),
    s('text', {class: 'what', x: (from + to) / 2, y: y - 4, 'text-anchor': 'middle'}, short(told(m), Math.max(fit, Math.abs(to - from) / 8))),
    s('line', {x1: from, y1: y, x2: to + tip / 2, y2: y}),
    s('path', {d: `M${to} ${y}l${tip} -4v8z`}));
  });
  return s('svg', {class: 'ladder', width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': t('ladder.title')}, heads, arrows);
}
