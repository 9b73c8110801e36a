// The application: who is logged in, the frame, and which screen is shown.

import {h, put, button, icon} from './dom.js';
import * as text from './text.js';
import {t} from './text.js';
import {events as api, call, get, told, Problem, Unreachable} from './api.js';
import * as schema from './schema.js';
import {live} from './live.js';
import {confirm, toast} from './dialog.js';
import {loginScreen, forcedPinScreen, pinSheet} from './login.js';
import {menu, screens} from './menu.js';

class App extends HTMLElement {
  #session = null;
  #screen = null;
  #leaving = null; // aborts what the current screen started
  #shown = {};
  #main;
  #pill;
  #banner;
  #health = null; // null until known
  #problem = ''; // what ails the device, for administrators
  #at = 0; // number of the shown entry in the browser's history
  #returning = false; // on the way back to a form that is not saved
  #discarding = false; // the changes may be lost

  async connectedCallback() {
    api.addEventListener('expired', () => this.#expired());
    api.addEventListener('forbidden', () => this.#recheck());
    api.addEventListener('fault', () => this.#checkHealth());
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
    });
    live.addEventListener('state', () => this.#liveState());
    setInterval(() => this.#checkHealth(), 30_000);
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
    if (session.mustChangePin) {
      this.replaceChildren(forcedPinScreen(old, async () => this.#enter(await get('/session'), null), () => this.#logout()));
      return;
    }
    await schema.load();
    this.#frame();
    live.start();
    this.#checkHealth();
    this.#route();
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
    if (now.admin === before.admin && now.mustChangePin === before.mustChangePin) {
      this.#session = now;
      if (now.displayName !== before.displayName) this.querySelector('details.profile')?.replaceWith(this.#profile());
      return;
    }
    this.#leave();
    for (const d of document.querySelectorAll('body > dialog')) d.remove();
    await this.#enter(now, null).catch(() => this.#unreachable());
    toast(t('session.rights'));
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
    this.#leaving?.abort();
    this.#health = null;
    live.stop();
  }

  async #logout() {
    try {
      await call('POST', '/logout', {quiet: true});
    } catch (err) {
      if (err instanceof Unreachable) return this.#liveState('lost');
    }
    this.#leave();
    history.replaceState({n: this.#at}, '', '/');
    this.#login();
    return undefined;
  }

  #frame() {
    const nav = h('nav', {class: 'menu', id: 'menu', 'aria-label': t('menu.label')},
      menu(this.#session).map((group) => h('details', {open: true},
        h('summary', {}, icon(group.icon), h('span', {}, t(group.title)), icon('down')),
        h('ul', {}, group.screens.map((s) => h('li', {}, h('a', {href: s.path, 'data-path': s.path}, t(s.title))))))));
    const drawer = button('icon', t('menu.open'), () => {
      const open = this.classList.toggle('drawer');
      drawer.setAttribute('aria-expanded', String(open));
      if (open) nav.querySelector('a, summary').focus();
    }, {icon: 'menu', class: 'button icon drawer-button', 'aria-controls': 'menu', 'aria-expanded': 'false'});
    this.#pill = h('p', {class: 'pill', role: 'status'});
    this.#banner = h('div', {class: 'banner', role: 'alert', hidden: true});
    this.#main = h('main', {id: 'content', tabindex: '-1'});
    this.replaceChildren(
      h('a', {class: 'skip', href: '#content', onclick: (e) => {
        e.preventDefault();
        this.#main.focus();
      }}, t('menu.skip')),
      h('header', {class: 'top'}, drawer,
        h('a', {class: 'brand', href: '/'}, h('img', {src: '/mark.svg', alt: '', width: 28, height: 28}), h('span', {}, 'Galilei')),
        this.#pill, this.#profile()),
      this.#banner,
      h('div', {class: 'columns'}, nav, h('div', {class: 'shade', onclick: () => this.#closeDrawer()}), this.#main));
    nav.addEventListener('keydown', (e) => {
      if (e.key === 'Escape') this.#closeDrawer();
    });
    this.#liveState();
  }

  #closeDrawer() {
    if (!this.classList.contains('drawer')) return;
    this.classList.remove('drawer');
    const b = this.querySelector('.drawer-button');
    b.setAttribute('aria-expanded', 'false');
    b.focus();
  }

  #profile() {
    const s = this.#session;
    const box = h('details', {class: 'profile'},
      h('summary', {'aria-label': t('profile.label', {name: s.displayName})},
        h('span', {class: 'avatar', 'aria-hidden': 'true'}, [...s.displayName][0].toUpperCase()),
        h('span', {class: 'who'}, s.displayName), icon('down')),
      h('div', {class: 'popup'},
        h('p', {}, h('strong', {}, s.displayName), h('span', {}, t(s.admin ? 'profile.admin' : 'profile.user', {name: s.user}))),
        button('quiet', t('profile.changePin'), () => {
          box.open = false;
          pinSheet();
        }),
        button('quiet', t('profile.logout'), () => this.#logout())));
    box.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      box.open = false;
      box.querySelector('summary').focus();
    });
    return box;
  }

  // follow takes clicks on the page's own addresses. It asks before changes
  // that are not saved are lost.
  async #follow(e) {
    const a = e.target.closest?.('a[href]');
    if (!a || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || a.target) return;
    const url = new URL(a.href);
    if (url.origin !== location.origin || url.hash) return;
    e.preventDefault();
    if (dirty() && !(await mayDiscard())) return;
    this.go(url.pathname);
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
    if (!replace) this.#at++;
    history[replace ? 'replaceState' : 'pushState']({n: this.#at}, '', path);
    this.#route();
  }

  #route() {
    if (!this.#session || this.#session.mustChangePin) return;
    const allowed = screens(this.#session);
    const path = location.pathname.replace(/\/+$/, '');
    if (path === '') return this.go(allowed[0].path, {replace: true});
    const [, first, part = '', ...rest] = path.split('/');
    const entry = decoded(part);
    const screen = entry !== null && allowed.find((s) => s.path === `/${first}` && rest.length === 0 && (!entry || s.entries)) || null;
    this.#closeDrawer();
    for (const a of this.querySelectorAll('nav.menu a')) {
      if (a.dataset.path === screen?.path) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    document.title = `${screen ? t(screen.title) : t('notFound.title')} · Galilei`;
    if (screen && screen === this.#screen) {
      this.#shown.entry?.(entry);
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
      this.#main.replaceChildren(head(t('notFound.title'), t('notFound.text')), h('a', {class: 'button plain', href: '/'}, t('notFound.home')));
      return;
    }
    const content = h('div', {class: 'content'});
    const title = head(t(screen.title), t(screen.about), screen.action && screen.action(this));
    this.#main.replaceChildren(title, content);
    title.querySelector('h1').focus({preventScroll: true});
    scrollTo(0, 0);
    try {
      const shown = await screen.show({content, signal, entry, app: this, session: this.#session});
      if (!signal.aborted) this.#shown = shown ?? {};
    } catch (err) {
      if (signal.aborted || (err instanceof Problem && err.status === 401)) return;
      content.replaceChildren(h('p', {class: 'alert', role: 'alert'}, told(err)),
        button('plain', t('action.again'), () => this.#show(screen, entry)));
    }
  }

  async #checkHealth() {
    if (!this.#session || document.hidden) return;
    const session = this.#session;
    try {
      const ok = (await fetch('/healthz', {cache: 'no-store'})).ok;
      const problem = ok || !session.admin ? '' : (await call('GET', '/status', {quiet: true})).body.problem ?? '';
      if (this.#session !== session) return;
      this.#health = ok;
      this.#problem = problem;
    } catch {
      return; // the event stream tells
    }
    this.#liveState();
  }

  #liveState(force) {
    if (!this.#pill) return;
    const state = force ?? live.state;
    const lost = state === 'lost';
    const busy = state === 'busy';
    const [kind, key, sign] = lost ? ['bad', 'pill.lost', 'alert']
      : this.#health === false ? ['bad', 'pill.unhealthy', 'alert']
      : busy ? ['wait', 'pill.busy', 'alert']
      : state !== 'on' || this.#health === null ? ['wait', 'pill.connecting', 'refresh']
      : ['good', 'pill.good', 'check'];
    if (this.#pill.dataset.kind !== key) {
      this.#pill.dataset.kind = key;
      this.#pill.className = `pill ${kind}`;
      this.#pill.replaceChildren(icon(sign), h('span', {}, t(key)));
    }
    const words = lost ? t('banner.lost') : this.#health === false && this.#problem ? t('banner.problem', {problem: this.#problem})
      : busy ? t('banner.busy') : '';
    if (words !== this.#banner.textContent) this.#banner.replaceChildren(...(words ? [icon('alert'), h('span', {}, words)] : []));
    this.#banner.hidden = !words;
    this.#banner.classList.toggle('mild', busy && this.#health !== false);
  }
}

// dirty tells whether a form holds changes that are not saved.
const dirty = () => [...document.querySelectorAll('g-form')].some((f) => f.changes.length);

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
