// The days of a holiday calendar: inputs, and what a calendar file has for it.

import {h, fill, button, icon} from './dom.js';
import {t, message, number} from './text.js';
import {Problem} from './api.js';
import * as schema from './schema.js';
import {Upload, dropZone} from './upload.js';
import {span} from './dates.js';

// days is the input: a row for each entry.
export function days({property, changed}) {
  const fields = Object.fromEntries(schema.parts(property.items));
  const keys = ['first', 'last', 'title'];
  let rows = [];
  const box = h('ol.holidays');
  const said = (row) => (['first', 'last'].every((k) => !schema.check(fields[k], row[k], k === 'first')) ? span(row.first, row.last) : '');
  const line = (row, i) => {
    const words = h('p.help', said(row));
    const input = (key) => {
      const el = h('input', {type: 'text', autocomplete: 'off', maxlength: fields[key].maxLength, 'aria-label': t('calendars.of', {name: schema.title(fields[key], key), place: i + 1}), placeholder: schema.title(fields[key], key),
        props: {value: row[key] ?? ''}, 'data-key': key, oninput: () => {
          row[key] = el.value.trim();
          el.toggleAttribute('aria-invalid', Boolean(schema.check(fields[key], row[key], key === 'first')));
          words.textContent = said(row);
          changed();
        }});
      return el;
    };
    return h('li', keys.map(input), button('icon', t('calendars.remove', {name: row.title || row.first || i + 1}), () => {
      rows.splice(i, 1);
      draw();
      (box.children[Math.min(i, rows.length - 1)]?.querySelector('input') ?? more).focus();
      changed();
    }, {icon: 'trash'}), words);
  };
  const draw = () => fill(box, rows.length ? rows.map(line) : h('li.muted', t('calendars.noDays')));
  const more = button('plain small', t('calendars.addDay'), () => {
    rows.push({title: '', first: '', last: ''});
    draw();
    box.lastElementChild.querySelector('input').focus();
    changed();
  }, {icon: 'plus'});
  const wrong = () => rows.flatMap((r, i) => keys.map((k) => [i, schema.check(fields[k], r[k] ?? '', k === 'first')])).find(([, text]) => text);
  return {
    el: h('div', box, more), group: true, focus: () => (box.querySelector('[aria-invalid]') ?? more).focus(),
    get: () => rows.map((r) => ({...r})),
    set: (v) => {
      rows = (v ?? []).map((r) => ({...r}));
      draw();
    },
    check: () => (wrong() ? t('form.place', {place: wrong()[0] + 1, text: wrong()[1]}) : ''),
  };
}

// calendarFile takes an iCalendar file for a calendar, in two steps: its days are shown, then those
// that are new are imported. state is {entry, etag}; done() is called after.
export function calendarFile(state, done) {
  const upload = new Upload();
  const result = h('div.calendar-file');
  const send = async (file, check) => {
    try {
      return (await upload.start('POST', `/calendars/${state.entry.id}/import?check=${check}`, file, {etag: state.etag, type: 'text/calendar'}))?.body;
    } catch (err) {
      fill(result);
      if (!(err instanceof Problem)) return undefined;
      if (err.status === 412) await done(); // it is another calendar by now: the next try knows
      return undefined;
    }
  };
  const draw = (file, a, over) => {
    const go = button('primary', t('calendars.import', {n: a.fresh}), async () => {
      go.disabled = true;
      const after = await send(file, false);
      if (!after) return;
      draw(file, after, true);
      result.querySelector('h4').focus();
      await done();
    });
    fill(result, h('h4', {tabindex: '-1'}, t(over ? 'calendars.imported' : 'calendars.found', {n: over ? a.imported : a.days.length, count: number(over ? a.imported : a.days.length)})),
      a.warnings.map((w) => h('p.notice', icon('alert'), h('span', message(w.template, w.args)))),
      a.known > 0 && !over && h('p.help', t('calendars.known', {n: a.known})),
      a.days.length > 0 && h('ul.found', {tabindex: '0', 'aria-label': t('calendars.days')}, a.days.map((d) => h('li', h('strong', d.title || d.first), h('span.muted', span(d.first, d.last)),
        h('span', {class: d.known || over ? 'tag' : 'tag good'}, t(d.known ? 'calendars.isKnown' : over ? 'calendars.isIn' : 'calendars.isNew'))))),
      !over && a.fresh > 0 && h('div', go));
  };
  return h('section.calendar-import', h('h3', t('calendars.file')), h('p.help', t('calendars.fileHelp')),
    dropZone({label: t('csv.choose'), hint: t('calendars.fileLimit'), accept: '.ics,text/calendar', chosen: async (file) => {
      fill(result);
      const answer = await send(file, true);
      if (answer) draw(file, answer, false);
    }}), upload, result);
}
