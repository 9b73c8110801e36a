// The application: who is logged in, the frame, and which screen is shown.

import {h, fill, button} from './dom.js';
import * as text from './text.js';
import {t} from './text.js';
import {events as api, call, get, told, Problem, Unreachable} from './api.js';
import * as schema from './schema.js';
import {live} from './live.js';
import {mayDiscard, toast} from './dialog.js';
import {screens, opened} from './menu.js';
import {Frame} from './frame.js';

class App extends HTMLElement {
  #session = null;
  #screen = null;
  #leaving = null; // aborts what the current screen started
  #shown = {}; // what the current screen gave
  #entry = ''; // which of its entries the address asks for
  #frame = null;
  #version = null; // of the page that the browser has
  #outdated = false; // the device has another page by now
  #at = 0; // number of the shown entry in the browser's history
  #returning = false; // on the way back to a form that is not saved
  #discarding = false; // the changes may be lost
  #asking = false; // for the login, over the page
  #missed = false; // the screen could not be shown without a session

  async connectedCallback() {
    api.addEventListener('expired', () => this.#expired());
    api.addEventListener('forbidden', () => this.#recheck());
    api.addEventListener('fault', () => this.#frame?.check());
    api.addEventListener('warned', () => this.#frame?.check());
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
      if (['mail', 'revision', 'warning'].includes(e.detail)) this.#frame?.check();
      this.#frame?.draw();
    });
    live.addEventListener('state', () => {
      this.#frame?.draw();
      if (live.state === 'on') this.#compare();
    });
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
      await (err instanceof Problem && err.status === 401 ? this.#login().catch(() => this.#unreachable()) : this.#unreachable());
    }
  }

  #unreachable() {
    const words = text.has('error.unreachable') ? t('error.unreachable') : 'The device does not answer.';
    this.replaceChildren(h('main.welcome', h('p', {role: 'alert'}, words)));
    setTimeout(() => this.#begin(), 3000);
  }

  async #login(notice) {
    document.title = 'Galilei';
    const {loginScreen} = await import('./login.js');
    this.replaceChildren(loginScreen(async (old) => {
      await this.#enter(await get('/session'), old);
    }, notice));
  }

  async #enter(session, old) {
    this.#session = session;
    await text.load(session.language);
    text.useZone(session.timeZone);
    if (session.mustChangePin) {
      this.#frame = null;
      const {forcedPinScreen} = await import('./pin.js');
      this.replaceChildren(forcedPinScreen(old, async () => this.#enter(await get('/session'), null), () => this.#logout()));
      return;
    }
    await schema.load();
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
    document.querySelector('.toast')?.remove(); // it may be in another language
    try {
      const session = await get('/session');
      if (!screens(session).some((s) => s.path === `/${location.pathname.split('/')[1]}`)) this.#write('/', true);
      await this.#enter(session, null);
    } catch (err) {
      if (!(err instanceof Problem && err.status === 401)) this.#unreachable();
    }
  }

  // recheck looks whether the user's rights have changed, and begins anew with those of now.
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
    await this.#enter(now, null).catch(() => this.#unreachable());
    if (rights(now) !== rights(before)) toast(t('session.rights'));
  }

  // expired asks for the login again. What was typed stays for the user who typed it.
  async #expired() {
    const before = this.#session;
    if (!before || this.#asking) return;
    if (before.mustChangePin) {
      this.#leave();
      this.#login(t('login.expired')).catch(() => this.#unreachable());
      return;
    }
    this.#asking = true;
    live.stop();
    const focused = document.activeElement;
    try {
      const {loginAgain} = await import('./login.js');
      const over = loginAgain((before.actor ?? before).user, async (old) => {
        const now = await get('/session');
        over();
        this.#asking = false;
        await this.#resume(before, now, old);
        focused.focus();
      });
    } catch {
      this.#asking = false; // the next call that is refused asks again
      toast(t('error.unreachable'), 'bad');
    }
  }

  // resume goes on with a session in place of the one before.
  async #resume(before, now, old) {
    if (before.actor || now.id !== before.id || now.mustChangePin) {
      this.#leave();
      await this.#enter(now, old);
      return;
    }
    live.start();
    if (this.#missed) this.#show(this.#screen);
    this.#missed = false;
    await this.#recheck(); // the rights may be others
  }

  #leave() {
    this.#session = null;
    this.#screen = null;
    this.#frame = null;
    this.#asking = false;
    this.#missed = false;
    this.#leaving?.abort();
    for (const d of document.querySelectorAll('body > dialog')) d.remove();
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
    return this.#login().catch(() => this.#unreachable());
  }

  // compare finds out whether the device came back with another firmware: parts of two pages do
  // not go together.
  async #compare() {
    const now = await version();
    this.#version ??= now;
    this.#outdated = Boolean(now) && now !== this.#version;
    if (this.#outdated && !dirty()) location.reload();
  }

  // follow takes clicks on the page's own addresses. It asks before changes that are not saved are
  // lost.
  async #follow(e) {
    const a = e.target.closest?.('a[href]');
    if (!a || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || a.target || a.hasAttribute('download')) return;
    const url = new URL(a.href);
    if (url.origin !== location.origin || url.hash) return;
    e.preventDefault();
    if (dirty() && !(await mayDiscard())) return;
    // An entry of the open list keeps what the list shows.
    const below = (this.#screen?.add || this.#screen?.entries) && url.pathname.startsWith(`${this.#screen.path}/`);
    this.go(url.pathname + (below && !url.search ? location.search : url.search));
  }

  // popped follows Back and Forward. Before changes that are not saved are lost it returns to them
  // and asks.
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
    const other = entry !== this.#entry;
    this.#entry = entry;
    const screen = entry !== null && allowed.find((s) => s.path === `/${first}` && rest.length === 0 && (!entry || s.add || s.entries)) || null;
    this.#frame.closeDrawer();
    this.#frame.mark(screen?.path);
    document.title = `${screen ? t(screen.title) : t('notFound.title')} · Galilei`;
    if (screen && screen === this.#screen && !(other && screen.entries)) {
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
    if (this.#outdated) {
      this.#frame.main.replaceChildren(); // nothing is left to be asked about
      location.reload();
    } else this.#show(screen);
    return undefined;
  }

  async #show(screen) {
    const {signal} = this.#leaving;
    const {main} = this.#frame;
    if (!screen) {
      main.replaceChildren(head(t('notFound.title'), t('notFound.text')), h('a.button.plain', {href: '/'}, t('notFound.home')));
      return;
    }
    const content = h('div.content', {'aria-busy': 'true'});
    const adds = screen.add && (screen.adds?.(this.#session) ?? true);
    const title = head(t(screen.title), t(screen.about), adds && h('a.button.primary', {href: `${screen.path}/new`}, t(screen.add)));
    main.replaceChildren(title, content);
    title.querySelector('h1').focus({preventScroll: true});
    scrollTo(0, 0);
    let module = null;
    try {
      this.#hint();
      module = await opened(screen);
      if (signal.aborted) return;
      const entry = this.#entry;
      const shown = await module({content, signal, entry, screen, app: this, session: this.#session});
      if (signal.aborted) return;
      this.#shown = shown ?? {};
      if (this.#entry !== entry) this.#shown.entry?.(this.#entry); // asked for meanwhile
      this.#point();
    } catch (err) {
      if (signal.aborted) return;
      this.#missed = err instanceof Problem && err.status === 401;
      if (this.#missed) return;
      // A browser may keep that it did not get a file: only a new page asks again.
      const again = async () => (module ? this.#show(screen) : (await version()) && location.reload());
      fill(content, h('p.alert', {role: 'alert'}, module ? told(err) : t('error.unreachable')), button('plain', t('action.again'), again));
    } finally {
      content.removeAttribute('aria-busy');
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
    const {add, takes} = this.#screen;
    const field = new URLSearchParams(location.search).get('field');
    const found = add && field && schema.fields(takes)[field];
    if (found) this.#frame.main.querySelector('.content').before(h('p.notice.calm', {role: 'status'}, t('search.inEntry', {name: schema.title(found, field)})));
  }
}

// dirty tells whether a form holds changes that are not saved, or a system setting what the device
// has refused.
const dirty = () => [...document.querySelectorAll('g-form, g-wizard, .setting .wrong')].some((f) => f.error || f.changes?.length);

// searchKey tells whether a key asks for the search: Ctrl+K or /.
function searchKey(e) {
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') return true;
  return e.key === '/' && !e.ctrlKey && !e.metaKey && !e.altKey && !e.target.closest?.('input, textarea, select, [contenteditable]');
}

// version is the tag of the page on the device, which changes with each of its files, or null when
// nobody answers.
async function version() {
  try {
    const answer = await fetch('/', {method: 'HEAD', cache: 'no-store'});
    return answer.ok ? answer.headers.get('ETag') : null;
  } catch {
    return null;
  }
}

// decoded returns a part of a path as text, or null when it is malformed.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

// head is the title of a screen, what it is for, and its primary action.
const head = (title, about, action) => h('div.head', h('div', h('h1', {tabindex: '-1'}, title), h('p.lead', about)), action);

customElements.define('g-app', App);
