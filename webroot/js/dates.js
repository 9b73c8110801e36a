// Days of a calendar: 2026-12-24, or 12-24 of every year.

import {t, written} from './text.js';

// dated writes a day.
function dated(text) {
  const yearly = text.length === 5;
  const at = new Date(`${yearly ? '2024-' : ''}${text}T12:00:00Z`);
  if (Number.isNaN(at.getTime())) return text;
  return written(at, {timeZone: 'UTC', day: 'numeric', month: 'long', ...(!yearly && {weekday: 'short', year: 'numeric'})});
}

// span writes days from a first one to a last one.
export const span = (from, to) => {
  const text = !to || from === to ? dated(from) : !from ? t('week.until', {day: dated(to)}) : t('week.span', {from: dated(from), to: dated(to)});
  return (from || to).length === 5 ? t('week.yearly', {days: text}) : text;
};
