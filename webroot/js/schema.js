// Types, ranges, defaults and help of parameters, from the API's description.

import {call} from './api.js';
import {t, has} from './text.js';

let schemas = null;

// load reads the description once.
export async function load() {
  if (!schemas) schemas = (await call('GET', '/openapi.json')).body.components.schemas;
}

// of returns the properties of a schema by name.
export const of = (name) => schemas[name]?.properties ?? {};

// needed tells whether a field must be filled in.
export const needed = (name, field) => (schemas[name]?.required ?? []).includes(field);

// label and help come from the catalogue, help else from the schema.
export const label = (field) => (has(`field.${field}`) ? t(`field.${field}`) : field);
export const help = (field, property) => (has(`help.${field}`) ? t(`help.${field}`) : property.description ?? '');

// check returns the rule that a value breaks, or ''. The server decides; this
// only says it sooner.
export function check(property, value, must) {
  if (property.type === 'integer') {
    if (!Number.isInteger(value)) return t('rule.integer');
    const {minimum: lo, maximum: hi} = property;
    if (value < (lo ?? -Infinity) || value > (hi ?? Infinity)) return t('rule.range', {lo, hi});
    return '';
  }
  if (property.type !== 'string') return '';
  if (!value) return must ? t('rule.needed') : '';
  const length = [...value].length;
  if (length < (property.minLength ?? 0)) return t('rule.short', {n: property.minLength});
  if (length > (property.maxLength ?? Infinity)) return t('rule.long', {n: property.maxLength});
  if (property.pattern && !new RegExp(property.pattern, 'u').test(value)) {
    return t('rule.pattern', {what: property.patternDescription ?? property.pattern});
  }
  return '';
}
