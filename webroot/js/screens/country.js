// System > Country: what the country sets, in words, and its change.
// Exports: profile (the nodes that describe a country), hides, named, and the
// screen.

import {h, put, button} from '../dom.js';
import {t, api, number, compare} from '../text.js';
import {call, get} from '../api.js';
import * as schema from '../schema.js';
import {Form} from '../form.js';
import {toast} from '../dialog.js';

const names = ['country', 'timeZone', 'language'];

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

const fact = (label, value) => h('div', {class: 'fact'}, h('dt', {}, label), h('dd', {}, value));

// profile describes what a country sets. short leaves out what few people ask.
export function profile(c, signal, short) {
  const p = (name) => schema.property('Country', name);
  const plain = (name) => fact(schema.title(p(name), name), schema.written(c[name], p(name), name) || t('country.none'));
  const tones = Object.entries(c.tones).filter(([name, tone]) => tone.bursts?.length && (!short || /^(dial|ringback|busy)$/.test(name)));
  let over = null;
  const tone = ([name, x]) => {
    const title = schema.label(name, 'Tones');
    return fact(title, [h('span', {}, rhythm(x)), button('plain small', t('country.play'), () => {
      over?.();
      over = play(x, signal);
    }, {icon: 'play', 'aria-label': t('country.playTone', {name: title})})]);
  };
  return [
    h('h3', {}, schema.label('emergency', 'Country')),
    h('ul', {class: 'numbers'}, c.emergency.map((e) => h('li', {}, h('strong', {}, e.number), ` ${api(e.service)}`))),
    h('p', {class: 'help'}, t('country.emergency')),
    h('h3', {}, schema.label('tones', 'Country')),
    h('dl', {class: 'facts'}, tones.map(tone)),
    h('h3', {}, t('country.numbers')),
    h('dl', {class: 'facts'}, fact(schema.label('callingCode', 'Country'), `+${c.callingCode}`), ['nationalPrefix', 'internationalPrefix', 'outsideLine'].map(plain)),
    !short && [
      h('p', {class: 'help'}, api(c.numberingNotes)),
      h('h3', {}, t('country.lines')),
      h('dl', {class: 'facts'}, ['companding', 'isdn'].map(plain),
        fact(schema.label('ringing', 'Country'), `${c.ringing.frequency} Hz: ${c.ringing.cadence.map((ms, i) => t(i % 2 ? 'country.off' : 'country.on', {s: seconds(ms)})).join(', ')}`),
        fact(schema.label('station', 'Country'), c.station.impedance), fact(schema.label('exchange', 'Country'), c.exchange.impedance)),
    ],
    h('h3', {}, schema.label('recording', 'Country')),
    h('p', {}, api(c.recording.text), ' ', h('span', {class: 'muted'}, `(${c.recording.source})`)),
  ];
}

// hides returns the emergency number of a country of the list that an extension
// would stand in the way of, or undefined: one that it equals or begins.
export const hides = (c, extension) => extension && c.emergency.find((number) => number.startsWith(extension));

// named is what the reader calls a country.
export const named = (code) => new Intl.DisplayNames([document.documentElement.lang], {type: 'region'}).of(code);

export default {
  path: '/country', module: 'country', title: 'country.title', about: 'country.about',
  parameters: () => names.map((name) => ({name, property: schema.property(schema.body('PUT', '/locale'), name)})),
  async show({content, signal}) {
    const [state, countries] = await Promise.all([call('GET', '/locale'), get('/countries')]);
    const box = h('section', {class: 'card profile-words'});
    const zones = (code) => countries.find((c) => c.code === code)?.timeZones ?? [];
    const choices = {
      country: countries.map((c) => ({id: c.code, label: named(c.code)})).sort((a, b) => compare(a.label, b.label)),
      timeZone: [...new Set([state.body.timeZone, ...countries.flatMap((c) => c.timeZones)])].map((id) => ({id, label: id})),
    };
    let shown = '';
    const draw = async (code) => {
      if (code === shown) return;
      shown = code;
      const c = await get(`/countries/${code}`);
      if (shown === code) box.replaceChildren(put(new DocumentFragment(), [h('h2', {}, named(code)), profile(c, signal)]));
    };
    const form = new Form({
      schema: schema.body('PUT', '/locale'), sections: {'': names}, values: state.body,
      options: {country: {choices: choices.country}, timeZone: {choices: choices.timeZone}},
      fresh: async () => {
        const now = await call('GET', '/locale');
        return {values: now.body, take: () => {
          state.etag = now.etag;
        }};
      },
      save: async (values) => {
        const after = await call('PUT', '/locale', {body: values, etag: state.etag});
        state.etag = after.etag;
        toast(t('settings.saved'));
        return after.body;
      },
    });
    form.addEventListener('edit', (e) => {
      const code = form.field('country').value;
      if (e.target.name !== 'country') return;
      if (!zones(code).includes(form.field('timeZone').value)) form.field('timeZone').value = zones(code)[0];
      draw(code);
    });
    form.addEventListener('click', () => draw(form.field('country').value)); // Cancel brings the old one back
    form.follow(signal);
    content.classList.add('reading');
    content.replaceChildren(h('section', {class: 'card'}, form), box);
    await draw(state.body.country);
  },
};
