// An input for a search and replace pattern, with what it makes of a number as the device sees it.

import {h, put, styles, uid} from './dom.js';
import {t, sentence} from './text.js';
import {call, Problem} from './api.js';
import {parts} from './control.js';

await styles('rewrite');

const pause = 250; // ms without a key before the device is asked

// sampled is a line below an input: a number to try, and what becomes of it. ask(number) resolves
// to what to say, nodes or a text, and throws the Problem of a pattern that cannot be used.
export function sampled(number, ask) {
  const id = uid();
  const input = h('input', {id, type: 'text', inputmode: 'tel', maxlength: 48, spellcheck: 'false', autocomplete: 'off', props: {value: number}, oninput: (e) => {
    e.stopPropagation(); // it is no parameter
    again();
  }, onchange: (e) => e.stopPropagation()});
  const out = h('output', {for: id});
  let timer = 0;
  let asked = 0;
  const run = async () => {
    const n = ++asked;
    let said = '';
    let wrong = false;
    try {
      said = input.value.trim() ? await ask(input.value.replace(/[\s()/.-]/g, '')) : '';
    } catch (err) {
      wrong = true;
      said = err instanceof Problem ? sentence(err.details[0]?.message ?? err.message) : ''; // a lost connection has its banner
    }
    if (n !== asked) return;
    out.classList.toggle('wrong', wrong);
    out.replaceChildren(...[said].flat());
  };
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(run, pause);
  };
  return {el: h('div.sampled', h('label', {for: id}, t('rewrite.sample')), input, out), again};
}

// rewrite makes the input of a pattern that is tried on number at first.
export const rewrite = (number) => ({property: {properties: {search, replace}}, changed}) => {
  const plain = {help: ''};
  const c = parts({properties: {search, replace}}, () => {
    changed();
    sample.again();
  }, {search: plain, replace: plain});
  const sample = sampled(number, async (n) => {
    const v = c.get();
    if (!v.search && !v.replace) return t('rewrite.stays', {number: n});
    const {body} = await call('GET', `/dialplan/try-pattern?${new URLSearchParams({...v, number: n})}`, {quiet: true});
    return body.matches ? [h('span', `${n} → `), h('strong', body.result || t('rewrite.nothing'))] : t('rewrite.other', {number: n});
  });
  put(c.el, [sample.el]);
  c.el.classList.add('rewrite');
  return {...c, set: (v) => {
    c.set(v);
    sample.again();
  }};
};
