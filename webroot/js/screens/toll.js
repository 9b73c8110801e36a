// Routes > Limits of calls.

import {h} from '../dom.js';
import {body, of} from '../schema.js';
import {settingsForm} from '../form.js';

export default async function show({content, signal}) {
  const names = Object.keys(of(body('PUT', '/toll-limits'))).filter((n) => !n.startsWith('$'))
    .sort((a, b) => a.startsWith('alarm') - b.startsWith('alarm')); // the alarm is about the others
  const {form} = await settingsForm({path: '/toll-limits', signal, sections: {'': names}});
  content.classList.add('reading');
  content.append(h('section.card', form));
}
