// Routes > Limits of calls.

import {h} from '../dom.js';
import {body, of} from '../schema.js';
import {settingsForm} from '../form.js';

export default async function show({content, signal}) {
  const names = Object.keys(of(body('PUT', '/toll-limits'))).filter((n) => !n.startsWith('$'));
  const whose = (name) => (name.startsWith('gateway') ? 'toll.gateway' : name.startsWith('alarm') ? '' : 'toll.user');
  const sections = Object.fromEntries(['toll.user', 'toll.gateway', ''].map((title) => [title, names.filter((n) => whose(n) === title)]));
  const {form} = await settingsForm({path: '/toll-limits', signal, sections});
  content.classList.add('reading');
  content.append(h('section.card', form));
}
