// A value over time as a line, and the same as a table.

import {h} from './dom.js';
import {s} from './svg.js';
import {t, number} from './text.js';

const width = 600;
const height = 70;

const rounded = (v) => number(Math.round(v * 100) / 100);

// chart draws points [{at, ...}] by their value: {key, label, unit, low, high}. The scale reaches
// from low to high at least. from and to bound the time.
export function chart(points, {key, label, unit, low, high}, from, to) {
  const values = points.map((p) => p[key]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [bottom, roof] = [Math.min(low, least), Math.max(high, most)];
  const place = (p) => [6 + (width - 12) * Math.min(1, Math.max(0, (Date.parse(p.at) - from) / Math.max(1, to - from))), height - 6 - (height - 12) * (p[key] - bottom) / (roof - bottom || 1)];
  const said = t('chart.said', {label, least: rounded(least), most: rounded(most), mean: rounded(values.reduce((a, v) => a + v, 0) / values.length), unit: unit ? `\u00a0${unit}` : ''});
  return h('figure.chart', h('figcaption', h('strong', label), h('span.muted', ` ${said}`)),
    s('svg', {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${label}: ${said}`},
      s('line', {class: 'life', x1: 0, y1: height - 6, x2: width, y2: height - 6}),
      s('polyline', {points: [[6, place(points[0])[1]], ...points.map(place)].map((p) => p.map((v) => v.toFixed(1)).join()).join(' ')})));
}

// table lists points in columns [{key, label, unit}].
export const table = (points, columns, caption, time) => h('div.scrolls', {tabindex: 0, role: 'region', 'aria-label': caption}, h('table', h('caption.hidden', caption),
  h('thead', h('tr', h('th', {scope: 'col'}, t('chart.time')), columns.map((c) => h('th.number', {scope: 'col'}, c.unit ? `${c.label} (${c.unit})` : c.label)))),
  h('tbody', points.map((p) => h('tr', h('th', {scope: 'row'}, time(p.at)), columns.map((c) => h('td.number', p[c.key] == null ? '' : rounded(p[c.key]))))))));
