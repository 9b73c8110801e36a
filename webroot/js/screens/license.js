// System > License: code, state, and the upload of a licence.

import {h, fill, facts, button, icon, styles} from '../dom.js';
import {t, day, message} from '../text.js';
import {call} from '../api.js';
import {Upload, dropZone} from '../upload.js';
import {attempt, mayDelete, copy, toast} from '../dialog.js';

await styles('result');

const signs = {'not-needed': ['good', 'check'], active: ['good', 'check'], missing: ['bad', 'alert'], expired: ['bad', 'alert']};

export default async function show({content, signal}) {
  const upload = new Upload();
  const take = async (file, etag) => {
    const taken = await upload.start('PUT', '/license', file, {etag, type: 'text/plain'}).catch(() => null); // the upload says it
    if (!taken) return;
    toast(t('license.taken'));
    await attempt(draw);
  };
  const drop = async (l, etag) => {
    if (!(await mayDelete(t('license.deleteTitle'), t(l.required ? 'license.deleteText' : 'license.deleteFree')))) return;
    await attempt(async () => {
      await call('DELETE', '/license', {etag});
      await draw();
    });
  };
  const draw = async () => {
    const {body: l, etag} = await call('GET', '/license');
    if (signal.aborted) return;
    const [kind, sign] = signs[l.state] ?? signs.missing;
    const until = l.expires ? day(l.expires) : '';
    fill(content,
      h(`div.result.${kind}`, {role: 'status'}, icon(sign), h('p', l.problem && l.state !== 'expired' ? message(l.problem.template, l.problem.args) : t(`license.${l.state}`, {date: until}))),
      h('section.card', facts([
        [t('license.code'), [h('code', l.code), button('icon', t('action.copy', {what: t('license.code')}), () => copy(l.code), {icon: 'copy'})]],
        [t('license.model'), l.model], [t('license.serial'), l.serial], [t('license.users'), t('status.of', {n: l.users, all: l.maxUsers})],
        l.customer && [t('license.customer'), l.customer],
        l.state === 'active' && [t('license.until'), until || t('license.forever')],
      ])),
      h('section.card', h('h2', t('license.upload')), h('p.help', t(l.required ? 'license.uploadText' : 'license.uploadFree')),
        dropZone({label: t('license.choose'), accept: '.json,.txt,.lic,text/plain,application/json', chosen: (file) => take(file, etag)}), upload,
        l.customer && button('danger-quiet', t('license.delete'), () => drop(l, etag), {icon: 'trash'})));
  };
  content.classList.add('reading');
  await draw();
}
