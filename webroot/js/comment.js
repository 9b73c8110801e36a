// What the history says of a change, in the reader's language. The device
// writes it in English and keeps it as it was. Exports: comment.

import {t} from './text.js';

// The sentences of the device, by the key of their words.
const sentences = {
  'comment.factory': 'Factory configuration',
  'comment.ownPin': 'Own PIN changed',
  'comment.ownData': 'Own data of {name} changed',
  'comment.wizardDone': 'Installation wizard finished',
  'comment.wizardLeft': 'Installation wizard left',
  'comment.mail': 'E-mail delivery changed',
  'comment.settings': 'System settings changed',
  'comment.sip': 'SIP settings changed',
  'comment.media': 'Media settings changed',
  'comment.country': 'Country changed',
  'comment.imported': 'Users imported: {count}',
  'comment.sipPassword': 'New SIP password for {name}',
  'comment.picture': 'Picture of {name}',
  'comment.pageOwn': 'Certificate of the page: of the device',
  'comment.page': 'Certificate of the page: {name}',
  'comment.restored': 'Restored revision {number}; PINs and SIP passwords of existing users kept',
  'comment.late': 'Not confirmed within {s} s: {of}; reverted',
  'comment.restarted': 'Not confirmed before the restart: {of}; reverted',
  'comment.notKept': 'Not kept: {of}; reverted',
};

const things = {
  'User': 'comment.user', 'Pickup group': 'comment.pickupGroup', 'Hunt group': 'comment.huntGroup', 'Permission group': 'comment.permissionGroup',
  'GUI group': 'comment.guiGroup', 'Provisioning group': 'comment.provisioningGroup', 'Certificate': 'comment.certificate',
};

const done = {added: 'comment.added', changed: 'comment.changed', deleted: 'comment.deleted'};

const pattern = (sentence) => new RegExp(`^${sentence.replace(/\{(\w+)\}/g, '(?<$1>.+)')}$`);
const act = new RegExp(`^(${Object.keys(things).join('|')}) (.+) (${Object.keys(done).join('|')})$`);

// comment returns a comment of the device in the reader's language; what people
// wrote themselves stays.
export function comment(text) {
  for (const [key, sentence] of Object.entries(sentences)) {
    const found = pattern(sentence).exec(text);
    if (found) return t(key, {...found.groups, of: comment(found.groups?.of ?? '')});
  }
  const [, thing, name, verb] = act.exec(text) ?? [];
  return thing ? t(done[verb], {what: t(things[thing]), name}) : text;
}
