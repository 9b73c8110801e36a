// The frame around every screen: top line, menu, profile, bars.
// Exports: Frame.

import {h, put, button, icon} from './dom.js';
import {t, api} from './text.js';
import {live} from './live.js';
import {pinSheet} from './login.js';
import {menu, screens, can} from './menu.js';
import {openSearch} from './search.js';
import {warnings} from './warnings.js';
import {PendingBar} from './pending.js';
import {languageSheet, impersonateSheet, endImpersonation} from './own.js';

// Frame shows the session's menu and the device's state. acts are {go(path),
// again() (the session has changed), logout(), free() (ask before edits are lost)}.
export class Frame {
  #pill = h('button', {type: 'button', class: 'pill', 'aria-haspopup': 'dialog'});
  #drafts = h('a', {class: 'pill warn', hidden: true});
  #banner = h('div', {class: 'banner', role: 'alert', hidden: true});
  #list = h('div', {class: 'popup warnings', popover: 'auto'});
  #healthy = null; // null until known
  #warnings = [];
  main = h('main', {id: 'content', tabindex: '-1'});

  constructor(app, session, acts) {
    Object.assign(this, {app, session, acts});
    const nav = h('nav', {class: 'menu', id: 'menu', 'aria-label': t('menu.label')}, menu(session).map((g) => this.#group(g)));
    const drawer = button('icon', t('menu.open'), () => {
      const open = app.classList.toggle('drawer');
      drawer.setAttribute('aria-expanded', String(open));
      if (open) nav.querySelector('a, summary').focus();
    }, {icon: 'menu', class: 'button icon drawer-button', 'aria-controls': 'menu', 'aria-expanded': 'false'});
    nav.addEventListener('keydown', (e) => {
      if (e.key === 'Escape') this.closeDrawer();
    });
    this.#pill.addEventListener('click', () => this.#showWarnings());
    app.replaceChildren(
      h('a', {class: 'skip', href: '#content', onclick: (e) => {
        e.preventDefault();
        this.main.focus();
      }}, t('menu.skip')),
      ...(session.actor ? [this.#actor()] : []),
      h('header', {class: 'top'}, drawer,
        h('a', {class: 'brand', href: '/'}, h('img', {src: '/mark.svg', alt: '', width: 28, height: 28}), h('span', {}, 'Galilei')),
        button('plain', t('search.open'), () => this.search(), {class: 'button plain find-button', icon: 'search', 'aria-keyshortcuts': 'Control+K /', 'aria-label': t('search.label')}),
        h('div', {class: 'state'}, this.#drafts, this.#pill, this.#list), this.profile()),
      this.#banner, ...(session.modules.some((m) => ['certificates', 'system-settings'].includes(m)) ? [new PendingBar()] : []),
      h('div', {class: 'columns'}, nav, h('div', {class: 'shade', onclick: () => this.closeDrawer()}), this.main));
    this.draw();
  }

  #group(g) {
    const link = (s) => h('li', {}, h('a', {href: s.path, 'data-path': s.path}, t(s.title)));
    return h('details', {open: true}, h('summary', {}, icon(g.icon), h('span', {}, t(g.title)), icon('down')),
      h('ul', {}, g.screens.map((s) => (s.screens ? h('li', {}, h('span', {class: 'part'}, t(s.title)), h('ul', {}, s.screens.map(link))) : link(s)))));
  }

  search() {
    openSearch(this.session, async (path) => {
      if (await this.acts.free()) this.acts.go(path);
    });
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
      if (a.dataset.path === path) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
  }

  // actor says whose rights are used by whom, and ends it.
  #actor() {
    const {actor, displayName} = this.session;
    return h('div', {class: 'actor', role: 'status'}, icon('users'), h('span', {}, t('impersonate.bar', {actor: actor.displayName, user: displayName})),
      button('plain small', t('impersonate.end', {name: actor.displayName}), () => endImpersonation(this.acts.again)));
  }

  profile() {
    const s = this.session;
    const has = (id) => s.modules.includes(id);
    const act = (label, run) => button('quiet', t(label), async () => {
      box.open = false;
      if (await this.acts.free()) run();
    });
    const personal = screens(s).find((x) => x.path === '/profile' && can(s, x));
    const box = h('details', {class: 'profile'},
      h('summary', {}, h('span', {class: 'hidden'}, t('profile.label', {name: s.displayName})),
        h('span', {class: 'avatar', 'aria-hidden': 'true'}, [...s.displayName][0].toUpperCase()),
        h('span', {class: 'who', 'aria-hidden': 'true'}, s.displayName), icon('down')),
      put(h('div', {class: 'popup'}), [
        h('p', {}, h('strong', {}, s.displayName), h('span', {}, t(s.admin ? 'profile.admin' : 'profile.user', {name: s.user}))),
        personal && act('profile.personal', () => this.acts.go(personal.path)),
        has('profile-pin') && !s.actor && act('profile.changePin', pinSheet),
        has('profile-language') && act('profile.language', () => languageSheet(document.documentElement.lang, this.acts.again)),
        has('impersonate') && !s.actor && act('profile.impersonate', () => impersonateSheet(s.id, this.acts.again)),
        button('quiet', t('profile.logout'), () => this.acts.logout()),
      ]));
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
      const ok = (await fetch('/healthz', {cache: 'no-store'})).ok;
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
    const n = this.#warnings.length;
    const [kind, key, sign] = lost ? ['bad', 'pill.lost', 'alert']
      : this.#healthy === false ? ['bad', 'pill.unhealthy', 'alert']
      : busy ? ['wait', 'pill.busy', 'alert']
      : state !== 'on' || this.#healthy === null ? ['wait', 'pill.connecting', 'refresh']
      : n ? [this.#warnings.some((w) => w.bad) ? 'bad' : 'warn', 'pill.warnings', 'alert']
      : ['good', 'pill.good', 'check'];
    const words = t(key, {n});
    if (this.#pill.textContent !== words) {
      this.#pill.className = `pill ${kind}`;
      this.#pill.replaceChildren(icon(sign), h('span', {}, words));
    }
    const trouble = this.#warnings.find((w) => w.health);
    const said = lost ? t('banner.lost') : this.#healthy === false && trouble ? api(trouble.text) : busy ? t('banner.busy') : '';
    if (said !== this.#banner.textContent) this.#banner.replaceChildren(...(said ? [icon('alert'), h('span', {}, said)] : []));
    this.#banner.hidden = !said;
    this.#banner.classList.toggle('mild', busy && this.#healthy !== false);
    const settings = screens(this.session).find((s) => s.module === 'system-settings');
    const drafts = settings ? live.drafts : 0;
    if (settings) this.#drafts.href = settings.path;
    this.#drafts.hidden = !drafts;
    this.#drafts.replaceChildren(icon('system'), h('span', {}, t('pill.drafts', {n: drafts})));
  }

  #showWarnings() {
    this.#list.replaceChildren(h('h2', {}, t('warning.title')), this.#warnings.length
      ? h('ul', {}, this.#warnings.map((w) => h('li', {}, icon('alert'), screens(this.session).some((s) => s.path === w.path)
        ? h('a', {href: w.path, onclick: () => this.#list.hidePopover()}, api(w.text)) : h('span', {}, api(w.text)))))
      : h('p', {class: 'muted'}, t(live.state === 'lost' ? 'banner.lost' : 'warning.none')));
    this.#list.togglePopover();
  }
}
