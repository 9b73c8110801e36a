// An upload that shows how far it is and can be given up.

import {h, button, icon, uid, styles} from './dom.js';
import {t, number} from './text.js';
import {send, told, Unreachable} from './api.js';

await styles('upload');

// Upload sends files one at a time. start(method, path, file, options) resolves
// to {body, etag}, to null when the user gave it up, and throws a Problem or
// Unreachable else; the element shows progress meanwhile, and the error after.
export class Upload extends HTMLElement {
  #stop = null;

  async start(method, path, file, options = {}) {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    const bar = h('progress', {max: file.size || 1, value: 0, 'aria-label': t('upload.progress', {name: file.name ?? ''})});
    const words = h('span', {role: 'status'}, t('upload.begun'));
    const began = performance.now();
    this.replaceChildren(h('div.upload', bar, words, button('plain small', t('action.cancel'), () => stop.abort())));
    const progress = (sent, total) => {
      bar.max = total || 1;
      bar.value = sent;
      const seconds = (performance.now() - began) / 1000;
      const left = Math.ceil((seconds / sent) * (total - sent));
      words.textContent = sent >= total ? t('upload.checking')
        : seconds > 2 && Number.isFinite(left) ? t('upload.left', {percent: number(Math.floor((100 * sent) / total)), n: left})
        : t('upload.percent', {percent: number(Math.floor((100 * sent) / total))});
    };
    try {
      const answer = await send(method, path, file, {...options, signal: stop.signal, progress});
      this.replaceChildren();
      return answer;
    } catch (err) {
      if (this.#stop === stop) this.replaceChildren();
      if (err instanceof Unreachable && stop.signal.aborted) return null;
      this.replaceChildren(h('p.alert', {role: 'alert'}, icon('alert'), told(err)));
      throw err;
    }
  }

  disconnectedCallback() {
    this.#stop?.abort();
  }
}

// dropZone takes one file, dropped or chosen. accept is as of an input; chosen
// (file) is called with it.
export function dropZone({label, hint, accept, chosen}) {
  const input = h('input', {type: 'file', id: uid(), accept, class: 'hidden', onchange: () => {
    if (input.files[0]) chosen(input.files[0]);
    input.value = '';
  }});
  const zone = h('div.drop', icon('upload'), input, h('label', {for: input.id, class: 'button plain'}, label), hint && h('p.help', hint));
  const over = (on) => (e) => {
    e.preventDefault();
    zone.classList.toggle('over', on);
  };
  zone.addEventListener('dragover', over(true));
  zone.addEventListener('dragleave', over(false));
  zone.addEventListener('drop', (e) => {
    over(false)(e);
    if (e.dataTransfer.files[0]) chosen(e.dataTransfer.files[0]);
  });
  return zone;
}

customElements.define('g-upload', Upload);
