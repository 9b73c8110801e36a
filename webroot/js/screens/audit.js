// System > Audit log.

import {h} from '../dom.js';
import {t, has, when} from '../text.js';
import {older} from '../older.js';

const action = (a) => (has(`audit.${a}`) ? t(`audit.${a}`) : a);

export default {
  path: '/audit', module: 'audit-log', title: 'audit.title', about: 'audit.about',
  async show({content, signal}) {
    await older({
      box: content, signal, resource: '/audit', number: (e) => e.id, empty: t('audit.empty'),
      draw: (e) => h('div', {class: `audit ${/failed|reveal/.test(e.action) ? 'notable' : ''}`},
        h('span', {class: 'when'}, when(e.time)),
        h('span', {class: 'what'}, h('strong', {}, e.actor), ` ${action(e.action)}`, e.object && e.object !== e.actor && [' ', h('strong', {}, e.object)]),
        h('span', {class: 'muted'}, e.from)),
    });
  },
};
