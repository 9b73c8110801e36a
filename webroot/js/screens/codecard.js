// Code card: what can be dialled, to print and lay beside the phone.

import {h, put, button, styles} from '../dom.js';
import {t, api, message} from '../text.js';
import {get} from '../api.js';
import * as schema from '../schema.js';

await styles('codecard');

// dialled is what a line says to dial: the code, then in words what follows, then the end.
const dialled = (l) => [h('code', l.dial), l.then && h('em', ` ${message(l.then.template, l.then.args)} `), l.ends && h('code', l.ends)];

export default async function show({content}) {
  const card = await get('/function-codes/card');
  content.classList.add('reading');
  const rows = card.lines.map((l, i) => h('tr',
    h('th', {scope: 'row'}, i && card.lines[i - 1].function === l.function ? h('span.hidden', schema.label(l.function, 'FunctionCodes')) : schema.label(l.function, 'FunctionCodes')),
    h('td.dial', dialled(l)), h('td', message(l.does.template, l.does.args))));
  put(content, [
    h('div.actions', button('primary', t('codecard.print'), () => window.print())),
    h('section.card.codecard',
      h('h2', card.extension ? t('codecard.of', {extension: card.extension}) : t('codecard.title')),
      h('table', h('thead', h('tr', ['function', 'dial', 'does'].map((c) => h('th', {scope: 'col'}, t(`codecard.${c}`))))), h('tbody', rows)),
      card.emergency.length > 0 && [h('h3', t('codecard.emergency')),
        h('ul.emergency', card.emergency.map((e) => h('li', h('strong', e.number), ` ${api(e.service)}`)))],
      h('p.muted', card.device)),
  ]);
}
