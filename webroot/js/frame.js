// The frame around every screen: top line, menu, profile, bars.

import {h, fill, button, icon} from './dom.js';
import {t, api} from './text.js';
import {Unreachable, sent} from './api.js';
import {live} from './live.js';
import {menu, screens, can} from './menu.js';
import {warnings} from './warnings.js';
import {attempt} from './dialog.js';

// Parts that few visits need are fetched when they are asked for.
const parts = {
  search: () => import('./search.js'), own: () => import('./own.js'), pin: () => import('./pin.js'), pending: () => import('./pending.js'),
};

const fetched = {};

// part fetches one. What was fetched once is there at once.
const part = (name) => fetched[name] ??= parts[name]().catch((err) => {
  delete fetched[name];
  throw new Unreachable(err.message);
});

// Frame shows the session's menu and the device's state. acts are {go(path),
// again() (the session has changed), logout(), free() (ask before edits are lost)}.
export class Frame {
  #pill = h('button.pill', {type: 'button', 'aria-haspopup': 'dialog', onclick: () => this.#showWarnings()});
  #drafts = h('a.pill.warn', {hidden: true});
  #banner = h('div.banner', {role: 'alert', hidden: true});
  #list = h('div.popup.warnings', {popover: 'auto'});
  #healthy = null; // null until known
  #warnings = [];
  #confirms = false; // the session may confirm changes, and no bar for them is there yet
  main = h('main', {id: 'content', tabindex: '-1'});

  constructor(app, session, acts) {
    Object.assign(this, {app, session, acts});
    this.#confirms = session.modules.some((m) => ['certificates', 'system-settings'].includes(m));
    const nav = h('nav.menu', {id: 'menu', 'aria-label': t('menu.label')}, menu(session).map((g) => this.#group(g)));
    const drawer = button('icon drawer-button', t('menu.open'), () => {
      const open = app.classList.toggle('drawer');
      drawer.setAttribute('aria-expanded', String(open));
      if (open) nav.querySelector('a, summary').focus();
    }, {icon: 'menu', 'aria-controls': 'menu', 'aria-expanded': 'false'});
    nav.addEventListener('keydown', (e) => {
      if (e.key === 'Escape') this.closeDrawer();
    });
    fill(app,
      h('a.skip', {href: '#content', onclick: (e) => {
        e.preventDefault();
        this.main.focus();
      }}, t('menu.skip')),
      h('div.bars', session.actor && this.#actor(), h('header.top', drawer,
        h('a.brand', {href: '/'}, h('img', {src: '/mark.svg', alt: '', width: 28, height: 28}), h('span', 'Galilei')),
        button('plain find-button', t('search.open'), () => this.search(), {icon: 'search', 'aria-keyshortcuts': 'Control+K /', 'aria-label': t('search.label')}),
        h('div.state', this.#drafts, this.#pill, this.#list), this.profile()), this.#banner),
      h('div.columns', nav, h('div.shade', {onclick: () => this.closeDrawer()}), this.main));
    const bars = app.querySelector('.bars');
    new ResizeObserver(() => document.documentElement.style.setProperty('--top', `${bars.offsetHeight}px`)).observe(bars);
    this.draw();
  }

  #group(g) {
    const link = (s) => h('li', h('a', {href: s.path, 'data-path': s.path}, t(s.title)));
    return h('details', {open: true}, h('summary', icon(g.icon), h('span', t(g.title)), icon('down')),
      h('ul', g.screens.map((s) => (s.screens ? h('li', h('span.part', t(s.title)), h('ul', s.screens.map(link))) : link(s)))));
  }

  // search opens the search. What is typed before it is there is not lost.
  async search() {
    let typed = '';
    const keep = (e) => {
      if (e.key.length > 1 || e.ctrlKey || e.metaKey || e.altKey) return;
      typed += e.key;
      e.preventDefault();
      e.stopPropagation();
    };
    addEventListener('keydown', keep, true);
    const found = await attempt(() => part('search'));
    removeEventListener('keydown', keep, true);
    found?.openSearch(this.session, async (path) => {
      if (await this.acts.free()) this.acts.go(path);
    }, typed);
  }

  closeDrawer() {
    if (!this.app.classList.contains('drawer')) return;
    this.app.classList.remove('drawer');
    const b = this.app.querySelector('.drawer-button');
    b.setAttribute('aria-expanded', 'false');
    b.focus();
  }

  // mark shows in the menu which screen is open.
  mark(path) {
    for (const a of this.app.querySelectorAll('nav.menu a')) {
      if (a.dataset.path !== path) a.removeAttribute('aria-current');
      else {
        a.setAttribute('aria-current', 'page');
        a.closest('details').open = true;
        a.scrollIntoView({block: 'nearest'});
      }
    }
  }

  // actor says whose rights are used by whom, and ends it.
  #actor() {
    const {actor, displayName} = this.session;
    return h('div.actor', {role: 'status'}, icon('users'), h('span', t('impersonate.bar', {actor: actor.displayName, user: displayName})),
      button('plain small', t('impersonate.end', {name: actor.displayName}), () => attempt(async () => (await part('own')).endImpersonation(this.acts.again))));
  }

  profile() {
    const s = this.session;
    const has = (id) => s.modules.includes(id);
    const act = (label, run) => button('quiet', t(label), async () => {
      box.open = false;
      if (await this.acts.free()) attempt(run);
    });
    const personal = screens(s).find((x) => x.path === '/profile' && can(s, x));
    const box = h('details.profile',
      h('summary', h('span.hidden', t('profile.label', {name: s.displayName})),
        h('span.avatar', {'aria-hidden': 'true'}, [...s.displayName][0].toUpperCase()),
        h('span.who', {'aria-hidden': 'true'}, s.displayName), icon('down')),
      h('div.popup',
        h('p', h('strong', s.displayName), h('span', t(s.admin ? 'profile.admin' : 'profile.user', {name: s.user}))),
        personal && act('profile.personal', () => this.acts.go(personal.path)),
        has('profile-pin') && !s.actor && act('profile.changePin', async () => (await part('pin')).pinSheet()),
        has('profile-language') && act('profile.language', async () => (await part('own')).languageSheet(document.documentElement.lang, this.acts.again)),
        has('impersonate') && !s.actor && act('profile.impersonate', async () => (await part('own')).impersonateSheet(s.id, this.acts.again)),
        button('quiet', t('profile.logout'), () => this.acts.logout())));
    box.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape') return;
      box.open = false;
      box.querySelector('summary').focus();
    });
    return box;
  }

  // check asks for the device's health and what should be looked after.
  async check() {
    if (document.hidden) return;
    try {
      const ok = (await sent('/healthz', {method: 'GET', cache: 'no-store'})).ok;
      const list = await warnings(this.session);
      this.#healthy = ok;
      this.#warnings = list.filter((w) => !w.health || !ok);
    } catch {
      return; // the event stream tells
    }
    this.draw();
  }

  draw(force) {
    const state = force ?? live.state;
    const lost = state === 'lost';
    const busy = state === 'busy';
    const n = this.#warnings.filter((w) => !w.calm).length;
    const [kind, key, sign] = lost ? ['bad', 'pill.lost', 'alert']
      : this.#healthy === false ? ['bad', 'pill.unhealthy', 'alert']
      : busy ? ['wait', 'pill.busy', 'alert']
      : state !== 'on' || this.#healthy === null ? ['wait', 'pill.connecting', 'refresh']
      : n ? [this.#warnings.some((w) => w.bad) ? 'bad' : 'warn', 'pill.warnings', 'alert']
      : ['good', 'pill.good', 'check'];
    const words = t(key, {n});
    if (this.#pill.textContent !== words) {
      this.#pill.className = `pill ${kind}`;
      this.#pill.replaceChildren(icon(sign), h('span', words));
    }
    const trouble = this.#warnings.find((w) => w.health);
    const grave = this.#warnings.find((w) => w.bad && !w.health);
    const said = lost ? t('banner.lost') : this.#healthy === false && trouble ? api(trouble.text) : grave ? grave.text : busy ? t('banner.busy') : '';
    if (said !== this.#banner.textContent) fill(this.#banner, said && [icon('alert'), h('span', said)]);
    this.#banner.hidden = !said;
    this.#banner.classList.toggle('mild', busy && this.#healthy !== false && !grave);
    if (this.#confirms && live.pending) this.#waits();
    const settings = screens(this.session).find((s) => s.module === 'system-settings');
    const drafts = settings ? live.drafts : 0;
    if (settings) this.#drafts.href = settings.path;
    this.#drafts.hidden = !drafts;
    this.#drafts.replaceChildren(icon('system'), h('span', t('pill.drafts', {n: drafts})));
  }

  // waits adds the bar of a change that waits to be confirmed.
  async #waits() {
    this.#confirms = false;
    try {
      this.#banner.after(new (await part('pending')).PendingBar());
    } catch {
      this.#confirms = true; // at the next event
    }
  }

  #showWarnings() {
    this.#list.replaceChildren(h('h2', t('warning.title')), this.#warnings.length
      ? h('ul', this.#warnings.map((w) => h('li', icon('alert'), screens(this.session).some((s) => s.path === w.path)
        ? h('a', {href: w.path, onclick: () => this.#list.hidePopover()}, api(w.text)) : h('span', api(w.text)))))
      : h('p.muted', t(live.state === 'lost' ? 'banner.lost' : 'warning.none')));
    this.#list.togglePopover();
  }
}
