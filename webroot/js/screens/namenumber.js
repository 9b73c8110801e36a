// Users & extensions > Users & groups > Name/number: who is reached how (F076).

import {h} from '../dom.js';
import {t} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {List} from '../list.js';

const name = (u) => [u.firstName, u.lastName].filter(Boolean).join(' ') || u.user;
const groups = (list) => (list ?? []).map((g) => (typeof g === 'object' ? g.title ?? g.name : g)).join(', ');

export default async function show({content, signal, session}) {
  const titled = (key, label) => ({key, label, class: 'wide', sort: (u) => groups(u[key])});
  const list = new List({
    name: t('nameNumber.title'), keep: '/name-number', of: 'User', empty: t('nameNumber.empty'), sort: 'name',
    names: (u) => [u.firstName, u.lastName, u.user], numbers: (u) => [u.extension], letters: (u) => [u.firstName, u.lastName],
    columns: [
      {key: 'name', label: t('nameNumber.name'), sort: name, cell: (u) => (session.modules.includes('users') ? h('a', {href: `/users/${u.id}`}, name(u)) : name(u))},
      {key: 'extension', class: 'number'}, titled('huntGroups', t('huntGroups.title')), titled('pickupGroups', t('pickupGroups.title')),
      titled('clipInternal'), titled('clipExternal'),
    ],
  });
  content.append(list);
  const load = async () => {
    const rows = await get('/name-number');
    if (!signal.aborted) list.rows = rows;
  };
  await load();
  live.keep(signal, ['revision'], load);
}
