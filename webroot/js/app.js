// The application: who is logged in, the frame, and which screen is shown.

import {h, put, button} from './dom.js';
import * as text from './text.js';
import {t} from './text.js';
import {events as api, call, get, told, Problem, Unreachable} from './api.js';
import * as schema from './schema.js';
import {live} from './live.js';
import {confirm, toast} from './dialog.js';
import {loginScreen, forcedPinScreen} from './login.js';
import {screens} from './menu.js';
import {Frame} from './frame.js';
import {searchKey} from './search.js';
import {forget} from './refs.js';

class App extends HTMLElement {
  #session = null;
  #screen = null;
  #leaving = null; // aborts what the current screen started
  #shown = {};
  #entry = ''; // the entry of the screen that the address names
  #frame = null;
  #at = 0; // number of the shown entry in the browser's history
  #returning = false; // on the way back to a form that is not saved
  #discarding = false; // the changes may be lost

  async connectedCallback() {
    api.addEventListener('expired', () => this.#expired());
    api.addEventListener('forbidden', () => this.#recheck());
    api.addEventListener('fault', () => this.#frame?.check());
    this.#at = history.state?.n ?? 0;
    addEventListener('popstate', (e) => this.#popped(e.state?.n ?? 0));
    addEventListener('beforeunload', (e) => {
      if (this.#session && dirty()) e.preventDefault();
    });
    // A page that the browser keeps for Back must not hold an event stream.
    addEventListener('pagehide', () => live.stop());
    addEventListener('pageshow', (e) => {
      if (e.persisted && this.#session && !this.#session.mustChangePin) live.start();
    });
    live.addEventListener('change', (e) => {
      if (e.detail === 'revision') this.#recheck();
      if (e.detail === 'mail' || e.detail === 'revision') this.#frame?.check();
      this.#frame?.draw();
    });
    live.addEventListener('state', () => this.#frame?.draw());
    setInterval(() => this.#frame?.check(), 30_000);
    // A list tells what it shows; that stands in the address.
    this.addEventListener('query', (e) => {
      const {search, replace} = e.detail;
      if (search !== location.search) this.#write(location.pathname + search, replace);
    });
    document.addEventListener('keydown', (e) => {
      if (!this.#frame || !searchKey(e) || document.querySelector('dialog[open]')) return;
      e.preventDefault();
      this.#frame.search();
    });
    document.addEventListener('click', (e) => {
      for (const box of this.querySelectorAll('details.profile')) if (!box.contains(e.target)) box.open = false;
      this.#follow(e);
    });
    await this.#begin();
  }

  // begin finds out who is logged in and shows what is next.
  async #begin() {
    try {
      await text.load();
      const {body} = await call('GET', '/session', {quiet: true});
      await this.#enter(body, null);
    } catch (err) {
      if (err instanceof Problem && err.status === 401) this.#login();
      else this.#unreachable();
    }
  }

  #unreachable() {
    const words = text.has('error.unreachable') ? t('error.unreachable') : 'The device does not answer.';
    this.replaceChildren(h('main', {class: 'welcome'}, h('p', {role: 'alert'}, words)));
    setTimeout(() => this.#begin(), 3000);
  }

  #login(notice) {
    document.title = 'Galilei';
    this.replaceChildren(loginScreen(async (old) => {
      await this.#enter(await get('/session'), old);
    }, notice));
  }

  async #enter(session, old) {
    this.#session = session;
    await text.load(session.language);
    if (session.mustChangePin) {
      this.#frame = null;
      this.replaceChildren(forcedPinScreen(old, async () => this.#enter(await get('/session'), null), () => this.#logout()));
      return;
    }
    await schema.load();
    forget();
    this.#frame = new Frame(this, session, {
      go: (path) => this.go(path), logout: () => this.#logout(), again: () => this.#again(),
      free: async () => !dirty() || mayDiscard(),
    });
    this.#screen = null;
    live.start();
    this.#frame.check();
    if (session.wizardDone === false && location.pathname === '/' && screens(session).some((s) => s.path === '/wizard')) this.go('/wizard', {replace: true});
    else this.#route();
  }

  // again begins anew after the session's language or rights were changed by hand.
  async #again() {
    this.#leave();
    for (const d of document.querySelectorAll('body > dialog, .toast')) d.remove(); // notices may be in another language
    try {
      const session = await get('/session');
      if (!screens(session).some((s) => s.path === `/${location.pathname.split('/')[1]}`)) this.#write('/', true);
      await this.#enter(session, null);
    } catch (err) {
      if (!(err instanceof Problem && err.status === 401)) this.#unreachable();
    }
  }

  // recheck looks whether the user's rights have changed, and begins anew with
  // those of now.
  async #recheck() {
    const before = this.#session;
    if (!before || before.mustChangePin) return;
    let now;
    try {
      ({body: now} = await call('GET', '/session', {quiet: true}));
    } catch (err) {
      if (err instanceof Problem && err.status === 401) this.#expired();
      return;
    }
    if (this.#session !== before) return;
    const rights = (s) => JSON.stringify([s.admin, s.mustChangePin, s.modules, s.permissions, s.actor, s.id]);
    if (rights(now) === rights(before) && (now.language === before.language || dirty())) {
      Object.assign(before, now); // screens hold it
      this.querySelector('details.profile')?.replaceWith(this.#frame.profile());
      return;
    }
    this.#leave();
    for (const d of document.querySelectorAll('body > dialog')) d.remove();
    await this.#enter(now, null).catch(() => this.#unreachable());
    if (rights(now) !== rights(before)) toast(t('session.rights'));
  }

  #expired() {
    if (!this.#session) return;
    this.#leave();
    for (const d of document.querySelectorAll('body > dialog')) d.remove();
    this.#login(t('login.expired'));
  }

  #leave() {
    this.#session = null;
    this.#screen = null;
    this.#frame = null;
    this.#leaving?.abort();
    live.stop();
  }

  async #logout() {
    try {
      await call('POST', '/logout', {quiet: true});
    } catch (err) {
      if (err instanceof Unreachable) return this.#frame?.draw('lost');
    }
    this.#leave();
    history.replaceState({n: this.#at}, '', '/');
    this.#login();
    return undefined;
  }

  // follow takes clicks on the page's own addresses. It asks before changes
  // that are not saved are lost.
  async #follow(e) {
    const a = e.target.closest?.('a[href]');
    if (!a || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || a.target || a.hasAttribute('download')) return;
    const url = new URL(a.href);
    if (url.origin !== location.origin || url.hash) return;
    e.preventDefault();
    if (dirty() && !(await mayDiscard())) return;
    // An entry of the open list keeps what the list shows.
    const below = this.#screen?.entries && url.pathname.startsWith(`${this.#screen.path}/`);
    this.go(url.pathname + (below && !url.search ? location.search : url.search));
  }

  // popped follows Back and Forward. Before changes that are not saved are lost
  // it returns to them and asks.
  async #popped(to) {
    const steps = to - this.#at;
    if (this.#returning) {
      this.#returning = false;
      return;
    }
    if (this.#session && steps && dirty() && !this.#discarding) {
      this.#returning = true;
      history.go(-steps);
      if (document.querySelector('dialog.ask') || !(await mayDiscard())) return;
      this.#discarding = true;
      history.go(steps);
      return;
    }
    this.#discarding = false;
    this.#at = to;
    this.#route();
  }

  // go shows the screen at a path.
  go(path, {replace} = {}) {
    this.#write(path, replace);
    this.#route();
  }

  #write(path, replace) {
    if (!replace) this.#at++;
    history[replace ? 'replaceState' : 'pushState']({n: this.#at}, '', path);
  }

  #route() {
    if (!this.#session || this.#session.mustChangePin) return;
    const allowed = screens(this.#session);
    const path = location.pathname.replace(/\/+$/, '');
    if (path === '' && allowed.length) return this.go(allowed[0].path, {replace: true});
    const [, first, part = '', ...rest] = path.split('/');
    const entry = decoded(part);
    this.#entry = entry;
    const screen = entry !== null && allowed.find((s) => s.path === `/${first}` && rest.length === 0 && (!entry || s.entries)) || null;
    this.#frame.closeDrawer();
    this.#frame.mark(screen?.path);
    document.title = `${screen ? t(screen.title) : t('notFound.title')} · Galilei`;
    if (screen && screen === this.#screen) {
      this.#hint();
      document.dispatchEvent(new Event('address'));
      this.#shown.entry?.(entry);
      this.#point();
      return undefined;
    }
    this.#leaving?.abort();
    this.#leaving = new AbortController();
    this.#screen = screen;
    this.#shown = {};
    this.#show(screen, entry);
    return undefined;
  }

  async #show(screen, entry) {
    const {signal} = this.#leaving;
    if (!screen) {
      this.#frame.main.replaceChildren(head(t('notFound.title'), t('notFound.text')), h('a', {class: 'button plain', href: '/'}, t('notFound.home')));
      return;
    }
    const content = h('div', {class: 'content'});
    const title = head(t(screen.title), t(screen.about), screen.action && screen.action(this));
    this.#frame.main.replaceChildren(title, content);
    title.querySelector('h1').focus({preventScroll: true});
    scrollTo(0, 0);
    try {
      this.#hint();
      const shown = await screen.show({content, signal, entry, app: this, session: this.#session});
      if (signal.aborted) return;
      this.#shown = shown ?? {};
      if (this.#entry !== entry) this.#shown.entry?.(this.#entry); // pressed while the screen was loading
      this.#point();
    } catch (err) {
      if (signal.aborted || (err instanceof Problem && err.status === 401)) return;
      content.replaceChildren(h('p', {class: 'alert', role: 'alert'}, told(err)),
        button('plain', t('action.again'), () => this.#show(screen, entry)));
    }
  }

  // point goes to the field that the search has found on the screen itself.
  #point() {
    const field = new URLSearchParams(location.search).get('field');
    for (const form of this.#frame.main.querySelectorAll('g-form')) form.field(field)?.reveal();
  }

  // hint says where a parameter is that the search has found in entries.
  #hint() {
    this.#frame.main.querySelector('.calm')?.remove();
    const field = new URLSearchParams(location.search).get('field');
    const found = field && this.#screen.entries && this.#screen.parameters?.().find((p) => p.name === field);
    if (found) this.#frame.main.querySelector('.content').before(h('p', {class: 'notice calm', role: 'status'}, t('search.inEntry', {name: schema.title(found.property, field)})));
  }
}

// dirty tells whether a form holds changes that are not saved.
const dirty = () => [...document.querySelectorAll('g-form, g-wizard')].some((f) => f.changes.length);

const mayDiscard = () => confirm({title: t('form.leaveTitle'), text: t('form.leaveText'), action: t('form.leave'), danger: true});

// decoded returns a part of a path as text, or null when it is malformed.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

// head is the title of a screen, what it is for, and its primary action.
function head(title, about, action) {
  return put(h('div', {class: 'head'}), [
    h('div', {}, h('h1', {tabindex: '-1'}, title), about && h('p', {class: 'lead'}, about)), action,
  ]);
}

customElements.define('g-app', App);
