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

async function part({path, schema, sections}) {
  const state = await call('GET', path);
  return h('section', {class: 'card'}, new Form({
    schema, sections, values: state.body,
    save: async (values) => {
      const after = await call('PUT', path, {body: values, etag: state.etag});
      state.etag = after.etag;
      toast(t('settings.saved'));
      return after.body;
    },
  }));
}

export default {
  path: '/settings', title: 'settings.title', about: 'settings.about',
  async show({content}) {
    content.classList.add('reading');
    content.replaceChildren(...await Promise.all(parts.map(part)));
  },
};
