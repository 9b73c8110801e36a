// The picture of a user or a contact. Exports: pictureField, portrait.

import {h, put, button, icon} from '../dom.js';
import {t} from '../text.js';
import {call, told, Problem} from '../api.js';
import {Upload, dropZone} from '../upload.js';

const most = 5 << 20; // bytes that the device takes

// portrait shows the picture of a hash, or a sign that there is none.
export const portrait = (hash) => (hash ? h('img', {class: 'portrait', src: `/api/v1/pictures/${hash}`, alt: '', loading: 'lazy'})
  : h('span', {class: 'portrait', 'aria-hidden': 'true'}, icon('person')));

// pictureField shows, takes and deletes a picture. path is where it is in the
// API, fresh() reads the entry that has it and resolves to it with its etag,
// changed(entry) is told of what holds after.
export function pictureField({path, image, fresh, changed}) {
  const upload = new Upload();
  const error = h('p', {class: 'error', role: 'alert'});
  const row = h('div', {class: 'picture'});
  const box = h('section', {class: 'picture-field'}, h('h3', {}, t('picture.title')), row, upload, error);
  const after = async () => {
    const now = await fresh();
    draw(now.image);
    changed?.(now);
  };
  const take = async (file) => {
    error.textContent = '';
    if (file.size > most) {
      error.textContent = t('picture.large', {size: Math.ceil(file.size / (1 << 20))});
      return;
    }
    try {
      const {etag} = await fresh();
      if (await upload.start('PUT', path, file, {etag, type: file.type.startsWith('image/') ? file.type : undefined})) await after();
    } catch (err) {
      if (!(err instanceof Problem)) told(err);
    }
  };
  const draw = (hash) => {
    row.replaceChildren();
    put(row, [portrait(hash), dropZone({label: t(hash ? 'picture.replace' : 'picture.choose'), hint: t('picture.hint'), accept: 'image/png,image/gif,image/tiff,image/jpeg', chosen: take}),
      hash && button('icon', t('picture.delete'), async () => {
        error.textContent = '';
        try {
          await call('DELETE', path, {etag: (await fresh()).etag});
          await after();
          row.querySelector('input').focus();
        } catch (err) {
          error.textContent = told(err);
        }
      }, {icon: 'trash'})]);
  };
  draw(image);
  return box;
}
