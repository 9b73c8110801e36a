// System > Transports: the sockets at which providers are reached.

import {h} from '../dom.js';
import {t} from '../text.js';
import {resourceScreen} from '../resource.js';
import {word} from '../schema.js';

const at = (x) => `${x.bindAddress.includes(':') ? `[${x.bindAddress}]` : x.bindAddress}:${x.bindPort}`;
const tls = (v) => v.type === 'tls';

// own is the certificate that the device has made for its page.
const own = (c) => c.id === 'device';

// Certificates belong to TLS alone, that of an authority to verification; those that were chosen before
// do not stay behind a hidden field.
const plain = (v) => ({...v, ...!(tls(v) && v.verifyCertificate) && {caCertificate: ''}, ...!tls(v) && {certificate: ''}});

export default resourceScreen({
  resource: '/transports', adding: 'transports.new', empty: 'transports.empty',
  called: (x) => x.name, deleteText: () => t('transports.deleteText'),
  list: {
    of: 'Transport', columns: () => [
      {key: 'name', text: (x) => [x.id, x.name, x.type, at(x)], cell: (x) => [h('a', {href: `/transports/${x.id}`}, x.name), h('span.below', at(x))]},
      {key: 'type', sort: (x) => word('type', x.type)},
      {key: 'bindAddress', class: 'wide', sort: at}, {key: 'externalSignalling', class: 'wide'},
    ],
  },
  form: {
    sections: {
      'transports.socket': ['name', 'type', 'bindAddress', 'bindPort'],
      'transports.router': ['externalMedia', 'externalSignalling', 'externalSignallingPort'],
      'transports.tls': ['verifyCertificate', 'caCertificate', 'certificate'],
    },
    options: () => ({externalSignallingPort: {when: (v) => v.externalSignalling}, verifyCertificate: {when: tls},
      caCertificate: {when: (v) => tls(v) && v.verifyCertificate, skip: own, none: t('transports.public')}, certificate: {when: tls, skip: (c) => own(c) || c.entry.authority}}),
  },
  sends: plain,
});
