// Routes > Night answer service: the profile that holds, which ones users may choose, and what
// each of them does.

import {h, fill} from '../dom.js';
import {t} from '../text.js';
import {get} from '../api.js';
import {live} from '../live.js';
import {settingsForm} from '../form.js';
import {choices} from '../refs.js';
import {picture, words} from '../week.js';

// rules shows what inbound routes do in the profiles, by gateway group.
async function rules(box) {
  const [routes, groups, calendars, {profile: active}] = await Promise.all([get('/inbound-routes'), choices('gatewayGroups'), choices('calendars'), get('/night-service')]);
  const used = [...new Set(routes.filter((r) => r.active && r.profile).map((r) => r.profile))].sort();
  const named = (list, id) => list.find((c) => c.id === id)?.label ?? '';
  fill(box, h('h2', t('night.profiles')), used.length === 0 && h('p.muted', t('night.noRules')), used.map((n) => h('section.card', h('div.card-head', h('h3', t('routes.profile', {profile: n})), n === active && h('span.tag.good', t('night.active'))),
    h('ul.night-rules', routes.filter((r) => r.active && r.profile === n).map((r) => h('li', h('p', h('a', {href: `/inbound-routes/${r.id}`}, r.rule), h('span.muted', ` · ${named(groups, r.group)} · ${r.pattern} → ${r.target}`)),
      picture(r.window, words(r.window, named(calendars, r.window.calendar)))))))));
}

export default async function show({content, signal}) {
  const profiles = Array.from({length: 10}, (_, id) => ({id, label: id ? t('routes.profile', {profile: id}) : t('night.off')}));
  const {form} = await settingsForm({path: '/night-service', signal, sections: {'': ['profile', 'selectable']}, options: () => ({profile: {choices: profiles, help: t('night.help')}})});
  const box = h('div.content');
  content.classList.add('reading');
  fill(content, h('section.card', form), box);
  await rules(box);
  live.keep(signal, ['revision'], () => rules(box));
}
