// Times and durations.

import {t, written, zone} from './text.js';
import {live} from './live.js';

// span writes a number of seconds as "3 d 4 h", "1 h 4 min", "4 min 5 s" or "5 s".
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const unit = s >= 86400 ? 'days' : s >= 3600 ? 'hours' : s >= 60 ? 'minutes' : 'seconds';
  return t(`time.${unit}`, {d: Math.floor(s / 86400), h: Math.floor(s / 3600) % 24, m: Math.floor(s / 60) % 60, s: s % 60});
}

// timeOfDay writes the time of day to the millisecond.
export const timeOfDay = (iso) => written(iso, {hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23'});

// wall writes a time of the device's clock, such as "2026-11-24 21:00".
export const wall = (text) => written(`${text.replace(' ', 'T')}Z`, {timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'short'});

// moment is when the device's clock shows local, such as "2026-11-24T21:00".
export function moment(local) {
  const wanted = Date.parse(`${local}Z`);
  const off = (at) => wanted - Date.parse(`${new Date(at).toLocaleString('sv', {timeZone: zone}).replace(' ', 'T')}Z`);
  const near = wanted + off(wanted);
  const there = near + off(near); // the offset may be another there
  return new Date(off(there) > 0 ? near : there).toISOString(); // what the clock skips is when it does
}

// dayStart is when a day such as "2026-11-24" begins, or one so many days later.
export function dayStart(day, later = 0) {
  const d = new Date(`${day}T00:00Z`);
  d.setUTCDate(d.getUTCDate() + later);
  return moment(d.toISOString().slice(0, 19));
}

// daily are the attributes of an input for a day.
export const daily = {type: 'date', min: '1970-01-01', max: '2999-12-31'};

// asked is what an input says, '' while that is wrong: a year is typed digit by digit.
export const asked = (input) => (input.validity.valid ? input.value.trim() : '');

// ticking keeps the durations in content current until the signal aborts; more() is called, too.
export function ticking(content, signal, more = () => {}) {
  const tick = () => {
    for (const el of content.querySelectorAll('.ticking')) el.textContent = span((live.now() - Number(el.dataset.since)) / 1000);
    more();
  };
  tick();
  const timer = setInterval(tick, 1000);
  signal.addEventListener('abort', () => clearInterval(timer));
}
