// Times in which a rule holds: in words, as a picture of a week, and as inputs.

import {h, fill, styles} from './dom.js';
import {s} from './svg.js';
import {t} from './text.js';
import {word} from './schema.js';
import {parts} from './control.js';
import {span} from './dates.js';

await styles('week');

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const most = 24 * 60; // minutes of a day

// minute is a time of day, such as "20:00", or undefined.
const minute = (text) => (/^\d\d:\d\d$/.test(text ?? '') ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3)) : undefined);

// named lists weekdays, those that follow each other as "Monday to Friday".
function named(list) {
  const runs = [];
  days.forEach((d, i) => {
    if (!list.includes(d)) return;
    if (runs.at(-1)?.end === i - 1) runs.at(-1).end = i;
    else runs.push({begin: i, end: i});
  });
  const name = (i) => word('weekdays', days[i]);
  return runs.map(({begin, end}) => (end - begin > 1 ? t('week.span', {from: name(begin), to: name(end)}) : days.slice(begin, end + 1).map((_, i) => name(begin + i)).join(', '))).join(', ');
}

// stretches are the hours of each day of the week, Monday first, as [from, to, late] in minutes. A
// window over midnight belongs to the day on which it starts: late says that it began the day before.
export function stretches(w) {
  const from = minute(w.timeFrom) ?? 0;
  const to = minute(w.timeTo) ?? most;
  const week = days.map(() => []);
  days.forEach((d, i) => {
    if (w.weekdays?.length && !w.weekdays.includes(d)) return;
    week[i].push([from, from < to ? to : most, false]);
    if (from >= to && to > 0) week[(i + 1) % 7].push([0, to, true]);
  });
  return week;
}

// words tells when a window holds; calendar is the name of its calendar.
export function words(w, calendar = '') {
  const from = minute(w.timeFrom);
  const to = minute(w.timeTo);
  const list = [
    w.weekdays?.length && w.weekdays.length < 7 && named(w.weekdays),
    from !== undefined && to !== undefined && t(from < to ? 'week.times' : 'week.night', {from: w.timeFrom, to: w.timeTo}),
    (w.dateFrom || w.dateTo) && span(w.dateFrom, w.dateTo),
    ['only', 'never'].includes(w.holidays) && t(`week.${w.holidays}`, {calendar}),
  ].filter(Boolean);
  return list.length ? list.join(', ') : t('week.always');
}

// picture draws a week. What it shows, its caption says.
export function picture(w, caption) {
  const bar = (list) => s('svg', {viewBox: `0 0 ${most} 10`, preserveAspectRatio: 'none'}, [6, 12, 18].map((x) => s('line', {x1: x * 60, x2: x * 60, y1: 0, y2: 10})),
    list.map(([from, to, late]) => s('rect', {x: from, width: Math.max(0, to - from), y: 0, height: 10, class: late && 'late'})));
  return h('figure.week', h('figcaption', caption), h('div.week-days', {'aria-hidden': 'true'},
    stretches(w).map((list, i) => [h('span', word('weekdays', days[i]).slice(0, 2)), bar(list)]), h('span'), h('div.hours', ['0', '6', '12', '18', '24'].map((x) => h('span', x)))));
}

// when makes the inputs of a window, with its picture. choices is a promise of the calendars.
export const when = (calendars) => ({property, changed}) => {
  let list = [];
  const box = h('div');
  const draw = () => {
    const w = c.get();
    const calendar = c.parts.find((f) => f.name === 'calendar');
    calendar.hidden = !['only', 'never'].includes(w.holidays);
    fill(box, picture(w, words(w, list.find((x) => x.id === w.calendar)?.label)));
  };
  const c = parts(property, () => {
    draw();
    changed();
  }, {weekdays: {}, timeFrom: {}, timeTo: {}, dateFrom: {}, dateTo: {}, holidays: {}, calendar: {}});
  c.el.classList.add('when');
  c.el.append(box);
  calendars.then((l) => {
    list = l;
    draw();
  });
  return {...c, set: (v) => {
    c.set(v);
    draw();
  }};
};
