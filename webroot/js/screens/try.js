// Try a number: who would ring, drawn as the way of the call, with the steps of each decision.

import {h, put, fill, uid, styles} from '../dom.js';
import {t, zone} from '../text.js';
import {moment} from '../time.js';
import {get} from '../api.js';
import {attempt} from '../dialog.js';
import {step, cause} from '../steps.js';
import * as schema from '../schema.js';

await styles('try');

// input is a labelled input of the form.
function input(label, help, attributes) {
  const id = uid();
  const el = h('input', {id, autocomplete: 'off', 'aria-describedby': help && `${id}h`, ...attributes});
  const box = h('div.tried', h('label', {for: id}, label), el, help && h('p.help', {id: `${id}h`}, help));
  return {el, box};
}

// shownOn says what a phone shows of the caller, and how it rings.
function shownOn(target) {
  const who = [target.prefix, target.callerName, target.number || t('try.hidden')].filter(Boolean).join(' ');
  const how = [target.waiting && t('try.waiting'), target.autoAnswer && t('try.auto'), target.doorStation && t('try.door')].filter(Boolean);
  return h('li', h('strong', `${target.name} ${target.extension}`), h('span.muted', ` · ${[t('try.shows', {text: who}), ...how].join(' · ')}`));
}

function said(d) {
  if (d.kind === 'ring') {
    return [h('p.what', t('try.rings', {names: d.ring.map((x) => `${x.name} ${x.extension}`).join(', ')}), ' ', h('span.muted', t('try.seconds', {n: d.timeout}))), h('ul.phones', d.ring.map(shownOn))];
  }
  if (d.kind === 'function') {
    const name = [schema.label(d.function, 'FunctionCodes'), d.argument, d.off && t('try.off')].filter(Boolean).join(' ');
    return h('p.what', t('try.function', {name}));
  }
  return h('p.what', t('try.ends', {why: cause(d.refuse)}));
}

const card = (d, open) => h('div', {class: `decision ${d.kind}`}, said(d),
  h('details', {open}, h('summary', t('try.steps', {n: d.trace.length})), h('ol.steps', d.trace.map((x) => step(x)))));

// drawn is a decision with what follows it, by outcome.
function drawn(tried, place) {
  const d = place ? tried.follows[place - 1].decision : tried.decision;
  const next = tried.follows.map((f, i) => [f, i + 1]).filter(([f]) => f.after === place);
  return [card(d, place === 0), next.length > 0 && h('ul.way', next.map(([f, i]) => h('li',
    h('p.outcome', f.outcomes.map((o) => schema.word('outcomes', o)).join(', ')), drawn(tried, i))))];
}

export default function show({content, signal}) {
  const asked = new URLSearchParams(location.search);
  const tel = {type: 'text', inputmode: 'tel', maxlength: 32, spellcheck: 'false'};
  const caller = input(t('try.caller'), t('try.callerHelp'), {...tel, value: asked.get('caller')});
  const digits = input(t('try.digits'), null, {...tel, maxlength: 48, value: asked.get('digits')});
  const at = input(t('try.at'), t('try.atHelp', {zone: zone ?? ''}), {type: 'datetime-local', min: '2000-01-01T00:00', max: '2100-12-31T00:00'});
  const now = input(t('try.now'), t('try.nowHelp'), {type: 'checkbox', role: 'switch', class: 'switch'});
  const result = h('section.tried-way', {'aria-live': 'polite', tabindex: '-1'});
  const dialled = (el) => el.value.replace(/[\s()/.-]/g, '');
  const run = () => attempt(async () => {
    fill(result);
    if (!dialled(digits.el)) {
      fill(result, h('p.muted', t('try.none')));
      digits.el.focus();
      return;
    }
    if (!at.el.reportValidity()) return;
    const q = new URLSearchParams({caller: dialled(caller.el), digits: dialled(digits.el)});
    if (at.el.value) q.set('at', moment(at.el.value));
    if (now.el.checked) q.set('now', 'true');
    const tried = await get(`/dialplan/try?${q}`);
    if (signal.aborted) return;
    fill(result, h('p.begin', t('try.dials', {caller: tried.caller || t('try.outside'), digits: q.get('digits')})), drawn(tried, 0), tried.more && h('p.help', t('try.more')));
  });
  put(content, [h('form.card.try', {novalidate: true, onsubmit: (e) => {
    e.preventDefault();
    run();
  }}, caller.box, digits.box, at.box, now.box, h('button.button.primary', {type: 'submit'}, t('try.action'))), result]);
  if (digits.el.value) run();
  else caller.el.focus();
}
