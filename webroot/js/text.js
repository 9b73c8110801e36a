// Words of the page, from one catalogue per language.

const languages = ['en'];
let words = {};
let plural = new Intl.PluralRules('en');

// load reads the catalogue of the best language that there is.
export async function load() {
  const wanted = navigator.languages.map((l) => l.slice(0, 2));
  const language = wanted.find((l) => languages.includes(l)) ?? 'en';
  const answer = await fetch(`/i18n/${language}.json`);
  if (!answer.ok) throw new Error(`catalogue ${language}: ${answer.status}`);
  words = await answer.json();
  plural = new Intl.PluralRules(language);
  document.documentElement.lang = language;
}

// has tells whether the catalogue has the key.
export const has = (key) => key in words;

// t returns the text of a key with {name} filled in. With n it takes the
// plural form key.one, key.other and so on.
export function t(key, values = {}) {
  let text = words[key];
  if ('n' in values) text = words[`${key}.${plural.select(values.n)}`] ?? words[`${key}.other`] ?? text;
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

// language is the reader's own kind of the page's language, for dates.
const language = () => navigator.languages.find((l) => l.startsWith(document.documentElement.lang)) ?? document.documentElement.lang;

// when writes a date and time for people.
export function when(iso) {
  return new Intl.DateTimeFormat(language(), {dateStyle: 'medium', timeStyle: 'medium'}).format(new Date(iso));
}

// span writes a number of seconds as 4:05, 1:04:05 or "3 d 4 h".
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s >= 86400) return t('time.days', {d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600)});
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor((s % 3600) / 60);
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}
