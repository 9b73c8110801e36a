// Try a number: who would ring, or over which lines the call would go, drawn as the way of the call,
// with the steps of each decision.

import {h, put, fill, icon, uid, styles} from '../dom.js';
import {t, zone, sentence} from '../text.js';
import {moment} from '../time.js';
import {get, Problem} from '../api.js';
import {attempt} from '../dialog.js';
import {step, cause} from '../steps.js';
import * as schema from '../schema.js';
import {choices} from '../refs.js';
import {refill, references} from '../choose.js';

await styles('try');

// input is a labelled input of the form.
function input(label, help, attributes) {
  const id = uid();
  const {tag = 'input', ...rest} = attributes;
  const el = h(tag, {id, autocomplete: 'off', 'aria-describedby': help && `${id}h`, ...rest});
  const box = h('div.tried', h('label', {for: id}, label), el, help && h('p.help', {id: `${id}h`}, help));
  return {el, box};
}

// lineOf says what a provider is told.
function lineOf(l) {
  const how = [t('try.told', {number: l.number}), l.toll && schema.word('toll', l.toll), !l.seize || l.callerId ? t('try.shownAs', {number: l.callerId || t('try.ownNumber')}) : '', l.asserted && t('try.asserted', {number: l.asserted}), l.hidden && t('try.clir'), l.seize && t('try.seizes')].filter(Boolean);
  return h('li', h('strong', l.name), h('span.muted', ` · ${how.join(' · ')}`));
}

// shownOn says what a phone shows of the caller, and how it rings.
function shownOn(target) {
  const who = [target.prefix, target.callerName, target.number || t('try.hidden')].filter(Boolean).join(' ');
  const how = [target.waiting && t('try.waiting'), target.autoAnswer && t('try.auto'), target.doorStation && t('try.door')].filter(Boolean);
  return h('li', h('strong', `${target.name} ${target.extension}`), h('span.muted', ` · ${[t('try.shows', {text: who}), ...how].join(' · ')}`));
}

// said tells what a decision does; again, when another line has failed before.
function said(d, again) {
  if (d.kind === 'outside') {
    return [h('p.what', d.emergency && [h('span.tag.bad', t('try.emergency', {number: d.emergency})), ' '], t(again ? 'try.next' : 'try.over', {name: d.lines[0].name})), !again && h('ol.ways', d.lines.map(lineOf))];
  }
  if (d.kind === 'ring') {
    return [h('p.what', t('try.rings', {names: d.ring.map((x) => `${x.name} ${x.extension}`).join(', ')}), ' ', h('span.muted', t('try.seconds', {n: d.timeout}))), h('ul.phones', d.ring.map(shownOn))];
  }
  if (d.kind === 'function') {
    const name = [schema.label(d.function, 'FunctionCodes'), d.argument, d.off && t('try.off')].filter(Boolean).join(' ');
    return h('p.what', t('try.function', {name}));
  }
  return h('p.what', t('try.ends', {why: cause(d.refuse)}));
}

const card = (d, open, again) => h('div', {class: `decision ${d.kind}`}, said(d, again),
  h('details', {open}, h('summary', t('try.steps', {n: d.trace.length})), h('ol.steps', d.trace.map((x) => step(x)))));

// drawn is a decision with what follows it, by outcome.
function drawn(tried, place, again) {
  const d = place ? tried.follows[place - 1].decision : tried.decision;
  const next = tried.follows.map((f, i) => [f, i + 1]).filter(([f]) => f.after === place);
  return [card(d, place === 0, again), next.length > 0 && h('ul.way', next.map(([f, i]) => h('li',
    h('p.outcome', f.outcomes.map((o) => schema.word('outcomes', o)).join(', ')), drawn(tried, i, d.kind === 'outside'))))];
}

// begun says who calls whom.
function begun(tried, digits) {
  const caller = tried.caller || t(tried.gateway ? 'try.anonymous' : 'try.outside');
  return tried.gateway ? t('try.comes', {caller, digits, gateway: tried.gateway}) : t('try.dials', {caller, digits});
}

export default async function show({content, signal, session}) {
  const asked = new URLSearchParams(location.search);
  const gateways = ['gateways', 'gateway-groups'].some((m) => session.modules.includes(m)) ? await choices('gateways') : [];
  const tel = {type: 'text', inputmode: 'tel', maxlength: 32, spellcheck: 'false'};
  const from = input(t('try.from'), null, {tag: 'select'});
  refill(from.el, gateways.map((g) => ({id: g.id, label: t('try.fromLine', {name: g.label})})), t(gateways.length ? 'try.fromUser' : 'try.anybody'),
    asked.get('gateway') ?? gateways.find((g) => asked.get('group') && g.entry.group === asked.get('group'))?.id ?? '');
  from.box.hidden = !gateways.length;
  const caller = input(t('try.caller'), t('try.callerHelp'), {...tel, value: asked.get('caller')});
  const digits = input(t('try.digits'), t('try.digitsHelp'), {...tel, maxlength: 48, value: asked.get('digits')});
  const at = input(t('try.at'), t('try.atHelp', {zone: zone ?? ''}), {type: 'datetime-local', min: '2000-01-01T00:00', max: '2100-12-31T00:00'});
  const now = input(t('try.now'), t('try.nowHelp'), {type: 'checkbox', role: 'switch', class: 'switch'});
  const profile = input(t('night.title'), t('try.profileHelp'), {tag: 'select'});
  refill(profile.el, Array.from({length: 10}, (_, n) => ({id: String(n), label: n ? t('routes.profile', {profile: n}) : t('night.off')})), t('try.profileNow'), '');
  const down = references({from: Promise.resolve(gateways), changed: () => {}});
  const downId = uid();
  const result = h('section.tried-way', {'aria-live': 'polite', tabindex: '-1'});
  const labels = {'query.gateway': t('try.from'), 'query.caller': t('try.caller'), 'query.digits': t('try.digits'), 'query.at': t('try.at')};
  const refused = (err) => {
    if (!(err instanceof Problem) || !err.details.length) throw err;
    fill(result, h('div.alert', {role: 'alert'}, icon('alert'), h('div', err.details.map((d) => h('p', sentence(d.message, labels[d.location]))))));
  };
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
    if (from.el.value) q.set('gateway', from.el.value);
    if (at.el.value) q.set('at', moment(at.el.value));
    if (now.el.checked) q.set('now', 'true');
    if (profile.el.value) q.set('profile', profile.el.value);
    if (down.get().length) q.set('down', down.get().join());
    const tried = await get(`/dialplan/try?${q}`).catch(refused);
    if (signal.aborted || !tried) return;
    fill(result, h('p.begin', begun(tried, q.get('digits'))), drawn(tried, 0), tried.more && h('p.help', t('try.more')));
  });
  put(content, [h('form.card.try', {novalidate: true, onsubmit: (e) => {
    e.preventDefault();
    run();
  }}, from.box, caller.box, digits.box, at.box, now.box, profile.box,
  gateways.length > 0 && h('div.tried', h('span.label', {id: downId}, t('try.down')), h('div', {role: 'group', 'aria-labelledby': downId}, down.el)),
  h('button.button.primary', {type: 'submit'}, t('try.action'))), result]);
  if (digits.el.value) run();
  else caller.el.focus();
}
