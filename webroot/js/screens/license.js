// System > License: code, state, and the upload of a licence.

import {h, put, button, icon} from '../dom.js';
import {t, day, message} from '../text.js';
import {call, told} from '../api.js';
import {Upload, dropZone} from '../upload.js';
import {confirm, copy, toast} from '../dialog.js';

const fact = (key, value) => h('div', {class: 'fact'}, h('dt', {}, t(key)), h('dd', {}, value));

const signs = {'not-needed': ['good', 'check'], active: ['good', 'check'], missing: ['bad', 'alert'], expired: ['bad', 'alert']};

export default {
  path: '/license', module: 'license', title: 'license.title', about: 'license.about',
  async show({content, signal}) {
    const upload = new Upload();
    const box = h('div', {class: 'content'});
    const draw = async () => {
      const {body: l, etag} = await call('GET', '/license');
      if (signal.aborted) return;
      const [kind, sign] = signs[l.state] ?? signs.missing;
      box.replaceChildren();
      put(box, [
        h('div', {class: `result ${kind}`, role: 'status'}, icon(sign), h('p', {}, l.problem && l.state !== 'expired' ? message(l.problem.template, l.problem.args) : t(`license.${l.state}`, {date: l.expires ? day(l.expires) : ''}))),
        h('section', {class: 'card'}, h('dl', {class: 'facts'},
          fact('license.code', [h('code', {}, l.code), button('icon', t('action.copy', {what: t('license.code')}), () => copy(l.code), {icon: 'copy'})]),
          fact('license.model', l.model), fact('license.serial', l.serial),
          fact('license.users', t('status.of', {n: l.users, all: l.maxUsers})),
          l.customer && fact('license.customer', l.customer),
          l.state === 'active' && fact('license.until', l.expires ? day(l.expires) : t('license.forever')),
        )),
        h('section', {class: 'card'}, h('h2', {}, t('license.upload')), h('p', {class: 'help'}, t(l.required ? 'license.uploadText' : 'license.uploadFree')),
          dropZone({label: t('license.choose'), accept: '.json,.txt,.lic,text/plain,application/json', chosen: async (file) => {
            try {
              if (!(await upload.start('PUT', '/license', file, {etag, type: 'text/plain'}))) return;
              toast(t('license.taken'));
              await draw();
            } catch { /* the upload says it */ }
          }}), upload,
          l.customer && button('danger-quiet', t('license.delete'), async () => {
            const sure = await confirm({title: t('license.deleteTitle'), text: t(l.required ? 'license.deleteText' : 'license.deleteFree'), action: t('entry.deleteAction'), danger: true});
            if (!sure) return;
            await call('DELETE', '/license', {etag}).then(draw).catch((err) => toast(told(err), 'bad'));
          }, {icon: 'trash'})),
      ]);
    };
    content.classList.add('reading');
    content.append(box);
    await draw();
  },
};
