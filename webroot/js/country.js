// What a country sets, in words and tones.

import {h, facts, button, styles} from './dom.js';
import {t, api, number, compare} from './text.js';
import * as schema from './schema.js';

await styles('country');

const seconds = (ms) => number(ms / 1000);

// rhythm is a tone as people read it: "425 Hz: 0.2 s, pause 0.2 s".
function rhythm({bursts, repeat}) {
  const parts = bursts.map((b, i) => [
    String(b.frequencies) !== String(bursts[i - 1]?.frequencies) && `${b.frequencies.join(' + ')} Hz:`,
    [b.on ? t('country.on', {s: seconds(b.on)}) : t('country.continuous'), b.off > 0 && t('country.off', {s: seconds(b.off)})].filter(Boolean).join(', '),
  ].filter(Boolean).join(' '));
  return parts.join(', ') + (repeat ? ` ${t('country.times', {n: repeat})}` : '');
}

// play lets a tone sound for 5 s, or until the signal aborts.
function play({bursts}, signal) {
  const audio = new AudioContext();
  const gain = audio.createGain();
  gain.gain.value = 0.08;
  gain.connect(audio.destination);
  for (let at = 0.05, i = 0; at < 5; i = (i + 1) % bursts.length) {
    const b = bursts[i];
    const end = Math.min(5, at + (b.on / 1000 || 5));
    for (const f of b.frequencies) {
      const tone = audio.createOscillator();
      tone.frequency.value = f;
      tone.connect(gain);
      tone.start(at);
      tone.stop(end);
    }
    at = end + b.off / 1000;
  }
  const over = () => audio.state !== 'closed' && audio.close();
  signal.addEventListener('abort', over);
  setTimeout(over, 5200);
  return over;
}

// profile describes what a country sets. short leaves out what few people ask.
export function profile(c, signal, short) {
  const label = (name) => schema.label(name, 'Country');
  const plain = (name) => [label(name), schema.written(c[name], schema.property('Country', name), name) || t('country.none')];
  const tones = Object.entries(c.tones).filter(([name, tone]) => tone.bursts?.length && (!short || /^(dial|ringback|busy)$/.test(name)));
  let over = null;
  const tone = ([name, x]) => {
    const title = schema.label(name, 'Tones');
    return [title, [h('span', rhythm(x)), button('plain small', t('country.play'), () => {
      over?.();
      over = play(x, signal);
    }, {icon: 'play', 'aria-label': t('country.playTone', {name: title})})]];
  };
  return [
    h('h3', label('emergency')),
    h('ul.numbers', c.emergency.map((e) => h('li', h('strong', e.number), ` ${api(e.service)}`))),
    h('p.help', t('country.emergency')),
    h('h3', label('tones')),
    facts(tones.map(tone)),
    h('h3', t('country.numbers')),
    facts([[label('callingCode'), `+${c.callingCode}`], ...['nationalPrefix', 'internationalPrefix', 'outsideLine'].map(plain)]),
    !short && [
      h('p.help', api(c.numberingNotes)),
      h('h3', t('country.lines')),
      facts([...['companding', 'isdn'].map(plain),
        [label('ringing'), `${c.ringing.frequency} Hz: ${c.ringing.cadence.map((ms, i) => t(i % 2 ? 'country.off' : 'country.on', {s: seconds(ms)})).join(', ')}`],
        [label('station'), c.station.impedance], [label('exchange'), c.exchange.impedance]]),
    ],
    h('h3', label('recording')),
    h('p', api(c.recording.text), ' ', h('span.muted', `(${c.recording.source})`)),
  ];
}

// hides returns the emergency number of a country of the list that an extension
// would stand in the way of, or undefined: one that it equals or begins.
export const hides = (c, extension) => extension && c.emergency.find((number) => number.startsWith(extension));

// named is what the reader calls a country.
export const named = (code) => new Intl.DisplayNames([document.documentElement.lang], {type: 'region'}).of(code);

// choices are the countries of a list, by name.
export const choices = (countries) => countries.map((c) => ({id: c.code, label: named(c.code)})).sort((a, b) => compare(a.label, b.label));
