// The picture of a user or a contact.

import {h, put, button, icon, styles} from '../dom.js';
import {t} from '../text.js';
import {call, told, Problem} from '../api.js';
import {Upload, dropZone} from '../upload.js';

await styles('picture');

const most = 5 << 20; // bytes that the device takes

// portrait shows the picture of a hash, or a sign that there is none.
export const portrait = (hash) => (hash ? h('img.portrait', {src: `/api/v1/pictures/${hash}`, alt: '', loading: 'lazy'})
  : h('span.portrait', {'aria-hidden': 'true'}, icon('person')));

// pictureField shows, takes and deletes the picture of state.entry at a path of
// the API. state is {entry, etag}; both are brought up to date, then changed()
// is called.
export function pictureField({path, state, changed}) {
  const upload = new Upload();
  const error = h('p.error', {role: 'alert'});
  const say = (text) => {
    upload.replaceChildren(); // one trouble at a time
    error.textContent = text;
  };
  const row = h('div.picture');
  const take = async (send) => {
    say('');
    const answer = await send();
    if (!answer) return;
    state.entry.image = answer.body?.image ?? '';
    state.etag = answer.etag ?? state.etag;
    draw();
    changed?.();
  };
  const chosen = async (file) => {
    if (file.size > most) {
      say(t('picture.large', {size: Math.ceil(file.size / (1 << 20))}));
      return;
    }
    const type = file.type.startsWith('image/') ? file.type : undefined;
    await take(() => upload.start('PUT', path, file, {etag: state.etag, type})).catch((err) => err instanceof Problem || told(err)); // the upload says it
  };
  const drop = () => take(() => call('DELETE', path, {etag: state.etag})).then(() => row.querySelector('input').focus(), (err) => say(told(err)));
  const draw = () => {
    const {image} = state.entry;
    row.replaceChildren();
    put(row, [portrait(image), dropZone({label: t(image ? 'picture.replace' : 'picture.choose'), hint: t('picture.hint'), accept: 'image/png,image/gif,image/tiff,image/jpeg', chosen}),
      image && button('icon', t('picture.delete'), drop, {icon: 'trash'})]);
  };
  draw();
  return h('section.picture-field', h('h3', t('picture.title')), row, upload, error);
}
