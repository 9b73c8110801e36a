// Words of the page, from one catalogue per language.

// languages are those that there are catalogues for.
export const languages = ['en', 'de'];
let words = {};
let plural = new Intl.PluralRules('en');
let order = new Intl.Collator('en', {numeric: true});

// load reads the catalogue of a language, or of the best one for the browser.
// It returns the language.
export async function load(wanted) {
  const ask = [wanted, ...navigator.languages].map((l) => (l ?? '').slice(0, 2));
  const language = ask.find((l) => languages.includes(l)) ?? 'en';
  if (words.api && document.documentElement.lang === language) return language;
  const answer = await fetch(`/i18n/${language}.json`);
  if (!answer.ok) throw new Error(`catalogue ${language}: ${answer.status}`);
  words = {api: {}, ...await answer.json()};
  plural = new Intl.PluralRules(language);
  order = new Intl.Collator(language, {numeric: true});
  document.documentElement.lang = language;
  return language;
}

// has tells whether the catalogue has the key.
export const has = (key) => key in words;

const leftwards = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;

// set apart, a name that is written from right to left leaves the words around it in their order.
export const apart = (value) => (leftwards.test(value) ? `\u2068${value}\u2069` : String(value));

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? apart(values[name]) : all));

// sentence says what is wrong with the thing of that label, or just ends a text with a full stop.
export function sentence(text, label) {
  const whole = label && /^\p{Ll}/u.test(text) ? `${label} ${text}` : text;
  return !whole || /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

// preset is the name of a group in the reader's language, when the device gave the name.
export const preset = (name) => words[`preset.${name}`] ?? name;

// t returns the text of a key with {name} filled in. With n it takes the
// plural form key.one, key.other and so on.
export function t(key, values = {}) {
  let text = words[key];
  if ('n' in values) text = words[`${key}.${plural.select(Number(values.n))}`] ?? words[`${key}.other`] ?? text;
  return text === undefined ? key : fill(text, values);
}

// api returns a text of the API (title, help) in the reader's language.
export const api = (text) => words.api?.[text] ?? text ?? '';

// Arguments whose values are themselves texts of the API.
const spoken = ['type', 'what', 'section', 'kind', 'rule', 'group', 'method', 'allowed', 'table', 'country'];

// message returns a message of the API, given as template and arguments. An
// argument that is an object is a message itself.
export function message(template, args) {
  const known = Object.entries(args ?? {}).map(([name, v]) => [name, typeof v === 'object' ? message(v.template, v.args) : spoken.includes(name) ? api(v) : v]);
  return fill(api(template), Object.fromEntries(known));
}

// language is the reader's own kind of the page's language, for dates.
const language = () => navigator.languages.find((l) => l.startsWith(document.documentElement.lang)) ?? document.documentElement.lang;

export let zone;

// useZone has times written as the clock of the device shows them, if the browser knows its zone.
export function useZone(name) {
  try {
    zone = new Intl.DateTimeFormat('en', {timeZone: name}).resolvedOptions().timeZone;
  } catch {
    zone = undefined;
  }
}

// written writes a time for people; when with date, and day the date alone.
export const written = (time, style) => new Intl.DateTimeFormat(language(), {timeZone: zone, ...style}).format(new Date(time));
export const when = (iso) => written(iso, {dateStyle: 'medium', timeStyle: 'medium'});
export const day = (iso) => written(iso, {dateStyle: 'medium'});

// number writes a quantity for people.
export const number = (n) => new Intl.NumberFormat(language()).format(n);

// compare orders texts as the language does, numbers by value.
export const compare = (a, b) => order.compare(String(a ?? ''), String(b ?? ''));
