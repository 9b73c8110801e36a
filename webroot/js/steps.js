// Steps of a decision, alike for a number that is tried and for a call that was made.

import {h} from './dom.js';
import {t, has, message} from './text.js';
import {wall} from './time.js';
import * as schema from './schema.js';

// cause is why a call ended, in words.
export const cause = (n) => (has(`cause.${n}`) ? t(`cause.${n}`) : String(n));

// spoken is a time window in the reader's words: "mon tue 20:00-06:00 no holidays".
const spoken = (text) => text.replace(/no holidays$/, t('steps.noHolidays')).replace(/(^| )holidays$/, (_, space) => space + t('steps.holidays'))
  .split(' ').map((word) => (has(`value.weekdays.${word}`) ? t(`value.weekdays.${word}`) : word)).join(' ');

// step is one line: what came of it, and what decided; at, when it was.
export function step(s, at) {
  const more = [s.permission && schema.word('permission', s.permission), s.before && s.after && s.before !== s.after && `${s.before} → ${s.after}`, s.window && spoken(s.window)].filter(Boolean);
  const {template, args} = s.message;
  return h('li', at && h('span.at', at), message(template, s.rule === 'time' && args?.time ? {...args, time: wall(args.time)} : args), more.length > 0 && h('span.muted', ` · ${more.join(' · ')}`));
}
