// The application: who is logged in, the frame, and which screen is shown.

import {h, put, button, icon} from './dom.js';
import * as text from './text.js';
import {t} from './text.js';
import {events as api, call, get, told, Problem, Unreachable} from './api.js';
import * as schema from './schema.js';
import {live} from './live.js';
import {confirm} from './dialog.js';
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
  #health = true;

  async connectedCallback() {
    api.addEventListener('expired', () => this.#expired());
    addEventListener('popstate', () => this.#route());
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
    this.#route();
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
    live.stop();
  }

  async #logout() {
    try {
      await call('POST', '/logout', {quiet: true});
    } catch (err) {
      if (err instanceof Unreachable) return this.#liveState('lost');
    }
    this.#leave();
    history.replaceState(null, '', '/');
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
    const dirty = [...this.querySelectorAll('g-form')].some((f) => f.changes.length);
    if (dirty && !(await confirm({title: t('form.leaveTitle'), text: t('form.leaveText'), action: t('form.leave'), danger: true}))) return;
    this.go(url.pathname);
  }

  // go shows the screen at a path.
  go(path, {replace} = {}) {
    history[replace ? 'replaceState' : 'pushState'](null, '', path);
    this.#route();
  }

  #route() {
    if (!this.#session || this.#session.mustChangePin) return;
    const allowed = screens(this.#session);
    const path = location.pathname.replace(/\/+$/, '');
    if (path === '') return this.go(allowed[0].path, {replace: true});
    const [, first, entry = '', ...rest] = path.split('/');
    const screen = allowed.find((s) => s.path === `/${first}` && rest.length === 0 && (!entry || s.entries));
    this.#closeDrawer();
    for (const a of this.querySelectorAll('nav.menu a')) {
      if (a.dataset.path === screen?.path) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    document.title = `${screen ? t(screen.title) : t('notFound.title')} · Galilei`;
    if (screen && screen === this.#screen) {
      this.#shown.entry?.(decodeURIComponent(entry));
      return undefined;
    }
    this.#leaving?.abort();
    this.#leaving = new AbortController();
    this.#screen = screen ?? null;
    this.#show(screen, decodeURIComponent(entry));
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
    try {
      this.#health = (await fetch('/healthz', {cache: 'no-store'})).ok;
    } catch {
      return; // the event stream tells
    }
    this.#liveState();
  }

  #liveState(force) {
    if (!this.#pill) return;
    const state = force ?? live.state;
    const lost = state === 'lost';
    const [kind, key, sign] = lost ? ['bad', 'pill.lost', 'alert']
      : state !== 'on' ? ['wait', 'pill.connecting', 'refresh']
      : this.#health ? ['good', 'pill.good', 'check'] : ['bad', 'pill.unhealthy', 'alert'];
    if (this.#pill.dataset.kind !== key) {
      this.#pill.dataset.kind = key;
      this.#pill.className = `pill ${kind}`;
      this.#pill.replaceChildren(icon(sign), h('span', {}, t(key)));
    }
    if (lost) this.#banner.replaceChildren(icon('alert'), h('span', {}, t('banner.lost')));
    this.#banner.hidden = !lost;
  }
}

// head is the title of a screen, what it is for, and its primary action.
function head(title, about, action) {
  return put(h('div', {class: 'head'}), [
    h('div', {}, h('h1', {tabindex: '-1'}, title), about && h('p', {class: 'lead'}, about)), action,
  ]);
}

customElements.define('g-app', App);
