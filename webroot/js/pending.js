// The bar of a change that reverts by itself unless it is confirmed from the new situation.

import {h, button, icon} from './dom.js';
import {t, message} from './text.js';
import {call, get, told} from './api.js';
import {live} from './live.js';
import {toast} from './dialog.js';

const step = 2000; // ms between looks at whether this connection is the new one

// PendingBar shows itself while a change waits. It needs a session with the
// right to see it; for others it stays away.
export class PendingBar extends HTMLElement {
  #state = null; // as GET /pending-change tells
  #until = 0; // ms of this browser's clock
  #lost = false;
  #decided = false; // in this window
  #timers = [];
  #off = new AbortController();

  connectedCallback() {
    this.#off = new AbortController();
    this.setAttribute('role', 'alert');
    this.hidden = true;
    live.keep(this.#off.signal, ['pending'], () => this.#look());
    this.#timers = [setInterval(() => this.#count(), 500), setInterval(() => this.#state && this.#look(), step)];
    if (live.pending) this.#look();
  }

  disconnectedCallback() {
    this.#off.abort();
    this.#timers.forEach(clearInterval);
  }

  async #look() {
    if (!live.pending && !this.#state) return;
    try {
      const s = await get('/pending-change');
      this.#lost = false;
      const expired = this.#state && !s.pending && Date.now() > this.#until - step;
      this.#until = Date.now() + s.secondsLeft * 1000;
      this.#state = s.pending ? s : null;
      if (expired && !this.#decided) toast(t('pending.expired'), 'bad');
      if (!s.pending) this.#decided = false;
    } catch (err) {
      this.#lost = err.status === undefined; // no answer: the browser may not trust the new certificate yet
      if (!this.#lost) this.#state = null;
    }
    this.#draw();
  }

  #left() {
    return Math.max(0, Math.ceil((this.#until - Date.now()) / 1000));
  }

  #count() {
    const words = this.querySelector('.left');
    if (words && this.#state) words.textContent = t('pending.left', {n: this.#left()});
  }

  #draw() {
    this.hidden = !this.#state;
    const signature = JSON.stringify([this.#state?.pending.id, this.#state?.confirmable, this.#lost]);
    if (!this.#state || this.dataset.signature === signature) return;
    this.dataset.signature = signature;
    const {pending, confirmable} = this.#state;
    const act = (verb, done) => async () => {
      this.#decided = true;
      try {
        await call('POST', `/pending-change/${pending.id}/${verb}`);
        toast(t(done));
      } catch (err) {
        toast(told(err), 'bad');
      }
      this.#look();
    };
    const ready = confirmable && !this.#lost;
    this.replaceChildren(icon('clock'), h('div', h('strong', t('pending.title', {what: message(pending.message.template, pending.message.args)})),
      h('span.left', t('pending.left', {n: this.#left()})), h('span', t(ready ? 'pending.ready' : 'pending.reload', {host: location.host}))),
    h('div.actions', button('plain', t('pending.revert'), act('revert', 'pending.reverted'), {disabled: this.#lost}),
      ready ? button('primary', t('pending.keep'), act('confirm', 'pending.kept')) : button('primary', t('pending.open'), () => location.reload())));
  }
}

customElements.define('g-pending', PendingBar);
