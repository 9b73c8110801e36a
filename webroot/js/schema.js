// Types, ranges, defaults, titles and help of parameters, from the API's description.

import {call} from './api.js';
import {t, has, api} from './text.js';

let spec = null;

// load reads the description once.
export async function load() {
  if (!spec) spec = (await call('GET', '/openapi.json')).body;
}

// followed is a schema behind its $ref, or one that says more of it (allOf).
const followed = (p) => (p?.$ref ? spec.components.schemas[p.$ref.split('/').at(-1)] : p?.allOf ? {...followed(p.allOf[0]), ...p} : p);

// of returns the properties of a schema by name.
export const of = (name) => spec.components.schemas[name]?.properties ?? {};

// property is one parameter of a schema; items are those of a list.
export function property(name, field) {
  const p = followed(of(name)[field]) ?? {type: 'string'};
  return p.items ? {...p, items: followed(p.items)} : p;
}

// parts are the names and properties of what an object holds.
export const parts = (p) => Object.entries(p.properties).filter(([k]) => !k.startsWith('$')).map(([k, x]) => [k, followed(x)]);

// needed tells whether a field must be filled in.
export const needed = (name, field) => (spec.components.schemas[name]?.required ?? []).includes(field);

// body names the schema that an operation takes.
export function body(method, path) {
  const op = spec.paths[`/api/v1${path}`]?.[method.toLowerCase()];
  return op?.requestBody?.content?.['application/json']?.schema?.$ref?.split('/').at(-1) ?? '';
}

// fields are the properties of what an operation ("POST /users") takes, by name.
export const fields = (operation) => (operation ? of(body(...operation.split(' '))) : {});

// kept are the values of an entry that a schema takes back.
export const kept = (name, entry) => Object.fromEntries(Object.keys(of(name)).filter((k) => !k.startsWith('$') && k in entry).map((k) => [k, entry[k]]));

// title and help of a parameter, in the reader's language.
export const title = (p, field) => (p.title ? api(p.title) : has(`field.${field}`) ? t(`field.${field}`) : field);
export const help = (p) => api(p.description);

// label is the title of a field: in a schema whose name begins with hint, else
// the page's own word, else wherever it is found.
export function label(field, hint = '') {
  const names = Object.keys(spec.components.schemas).filter((n) => of(n)[field]?.title);
  const name = names.find((n) => hint && n.toLowerCase().startsWith(hint.toLowerCase())) ?? (has(`field.${field}`) ? null : names[0]);
  return title(name ? of(name)[field] : {}, field);
}

// word is the name of an enum's value.
export function word(field, value) {
  const key = `value.${field}.${value || 'none'}`;
  return has(key) ? t(key) : value;
}

// written is a value as people read it.
export function written(v, p = {}, field = '') {
  if (typeof v === 'boolean') return t(v ? 'value.on' : 'value.off');
  if (p.enum) return word(field, v);
  if (Array.isArray(v)) return v.map((x) => (typeof x === 'object' ? Object.values(x).join(' ') : x)).join(', ');
  if (v && typeof v === 'object') return Object.values(v).flat().filter(Boolean).join(' ');
  return v == null ? '' : p['x-unit'] && v !== '' ? `${v} ${p['x-unit']}` : String(v);
}

// blank is the value of a parameter in a new entry.
export function blank(p) {
  if (p.default !== undefined) return p.default;
  if (p.type === 'object') return Object.fromEntries(parts(p).map(([k, x]) => [k, blank(x)]));
  return {boolean: false, array: [], integer: p.minimum ?? 0}[p.type] ?? '';
}

// check returns the rule that a value breaks, or ''. The server decides; this
// only says it sooner.
export function check(p, value, must) {
  if (p.type === 'integer') {
    const {minimum: lo, maximum: hi} = p;
    if (!Number.isInteger(value)) return t('rule.integer');
    return value < (lo ?? -Infinity) || value > (hi ?? Infinity) ? t('rule.range', {lo, hi}) : '';
  }
  if (p.type === 'array') {
    if (value.length > (p.maxItems ?? Infinity)) return t('rule.many', {n: p.maxItems});
    if (p.items?.type !== 'string') return '';
    const wrong = value.find((v) => check(p.items, v, true));
    return wrong === undefined ? '' : `${wrong}: ${check(p.items, wrong, true)}`;
  }
  if (p.type !== 'string') return '';
  if (!value) return must ? t('rule.needed') : '';
  const length = [...value].length;
  if (length < (p.minLength ?? 0)) return t('rule.short', {n: p.minLength});
  if (length > (p.maxLength ?? Infinity)) return t('rule.long', {n: p.maxLength});
  if (p.pattern && !new RegExp(p.pattern, 'u').test(value)) {
    return t('rule.pattern', {what: p.patternDescription ? api(p.patternDescription) : p.pattern});
  }
  return '';
}
