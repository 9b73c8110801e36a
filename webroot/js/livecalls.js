// The calls of now, as a list whose durations tick by the device's time.

import {h} from './dom.js';
import {t} from './text.js';
import {span} from './time.js';
import {live} from './live.js';
import {List} from './list.js';

const begun = (c) => Date.parse(c.answered ?? c.started);

// side is one side of a call.
const side = (number, name) => [h('strong', number || t('calls.hidden')), name && h('span.muted', ` ${name}`)];

const state = (c) => [h('span', {class: `tag ${c.state}`}, t(`call.${c.state}`)), c.held && h('span.tag', t('calls.held'))];

// callList lists calls; more are options of the list besides.
export const callList = (more) => new List({
  name: t('status.calls'), sort: 'since', empty: t('status.noCalls'),
  columns: [
    {key: 'state', label: t('status.state'), class: 'wide', text: (c) => [c.state, c.held], cell: state},
    {key: 'from', label: t('status.from'), text: (c) => [c.from, c.fromName], cell: (c) => side(c.from, c.fromName)},
    {key: 'to', label: t('status.to'), text: (c) => [c.to, c.with, c.withName],
      cell: (c) => [side(c.with || c.to, c.withName), c.with && c.with !== c.to && h('span.by', t('calls.dialled', {number: c.to}))]},
    {key: 'since', label: t('status.since'), class: 'number', sort: (c) => 1e15 - begun(c), text: (c) => begun(c), // the longest call began first
      cell: (c) => [h('span.ticking', {'data-since': begun(c)}, span((live.now() - begun(c)) / 1000)), h('span.below', state(c))]},
  ],
  ...more,
});
