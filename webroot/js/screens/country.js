// System > Country: what the country sets, and its change.

import {h, fill} from '../dom.js';
import {get} from '../api.js';
import {settingsForm} from '../form.js';
import {profile, named, choices} from '../country.js';

export default async function show({content, signal}) {
  const countries = await get('/countries');
  const zones = (code) => countries.find((c) => c.code === code)?.timeZones ?? [];
  const line = (code) => countries.find((c) => c.code === code)?.outsideLine;
  const {form, state} = await settingsForm({path: '/locale', signal, sections: {'': ['country', 'timeZone', 'language'], 'country.dialling': ['outsideLine', 'areaCode']}, options: (entry) => ({
    country: {choices: choices(countries)},
    timeZone: {choices: [...new Set([entry.timeZone, ...countries.flatMap((c) => c.timeZones)])].map((id) => ({id, label: id}))},
  })});
  const box = h('section.card.profile-words');
  let shown = '';
  const draw = async (code) => {
    if (code === shown) return;
    shown = code;
    const c = await get(`/countries/${code}`);
    if (shown === code) fill(box, h('h2', named(code)), profile(c, signal));
  };
  form.addEventListener('edit', (e) => {
    const code = form.field('country').value;
    if (e.target.name !== 'country') return;
    if (!zones(code).includes(form.field('timeZone').value)) form.field('timeZone').value = zones(code)[0];
    if (form.field('outsideLine').value) form.field('outsideLine').value = line(code); // who dials without a digit goes on so
    draw(code);
  });
  form.addEventListener('click', () => draw(form.field('country').value)); // Cancel brings the old one back
  content.classList.add('reading');
  content.append(h('section.card', form), box);
  await draw(state.entry.country);
}
