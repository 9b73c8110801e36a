// System > System settings.

import {h} from '../dom.js';
import {t} from '../text.js';
import {call} from '../api.js';
import {Form} from '../form.js';
import {toast} from '../dialog.js';

const parts = [
  {path: '/sip-settings', schema: 'SIP', sections: {
    'settings.registration': ['minExpires', 'maxExpires', 'maxContacts', 'digestSha256'],
    'settings.calls': ['ringTime'],
    'settings.outside': ['externalAddress', 'localNetworks'],
  }},
  {path: '/media-settings', schema: 'Media', sections: {'settings.audio': ['rtpPortMin', 'rtpPortMax']}},
];

async function part({path, schema, sections}, signal) {
  const state = await call('GET', path);
  const form = new Form({
    schema, sections, values: state.body,
    fresh: async () => {
      const now = await call('GET', path);
      return {values: now.body, take: () => {
        state.etag = now.etag;
      }};
    },
    save: async (values) => {
      const after = await call('PUT', path, {body: values, etag: state.etag});
      state.etag = after.etag;
      toast(t('settings.saved'));
      return after.body;
    },
  });
  form.follow(signal);
  return h('section', {class: 'card'}, form);
}

export default {
  path: '/settings', module: 'system-settings', title: 'settings.title', about: 'settings.about',
  async show({content, signal}) {
    content.classList.add('reading');
    content.replaceChildren(...await Promise.all(parts.map((p) => part(p, signal))));
  },
};
