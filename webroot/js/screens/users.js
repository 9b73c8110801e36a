// Users & extensions > Users.

import {h, put, button} from '../dom.js';
import {t} from '../text.js';
import {call, get, told, Problem} from '../api.js';
import {live} from '../live.js';
import {List} from '../list.js';
import {Form} from '../form.js';
import {confirm, sheet, toast} from '../dialog.js';
import {phoneSetup, passwordRow, registeredPhones} from '../phone.js';

const sections = {
  'users.person': ['firstName', 'lastName', 'user'],
  'users.phone': ['extension', 'sipPassword'],
  'users.access': ['pin', 'mustChangePin', 'admin'],
};

const name = (u) => [u.firstName, u.lastName].filter(Boolean).join(' ');
const called = (u) => [u.user, name(u), u.extension].filter(Boolean).join(', ');
const registered = (u) => u.extension !== '' && live.registrations.has(u.extension);

function dot(u) {
  if (!u.extension) return h('span', {class: 'dot none', role: 'img', 'aria-label': t('users.noExtension'), title: t('users.noExtension')});
  const text = t(registered(u) ? 'users.registered' : 'users.notRegistered');
  return h('span', {class: registered(u) ? 'dot on' : 'dot', role: 'img', 'aria-label': text, title: text});
}

function columns() {
  return [
    {key: 'registered', label: t('users.state'), hidden: true, class: 'narrow', cell: dot, sort: (u) => (registered(u) ? 0 : u.extension ? 1 : 2)},
    {key: 'user', label: t('field.user'), sort: (u) => u.user, text: (u) => [u.id, u.user, u.admin, name(u)],
      cell: (u) => [h('a', {href: `/users/${u.id}`}, u.user), u.admin && h('span', {class: 'tag'}, t('users.admin')), h('span', {class: 'below'}, name(u))]},
    {key: 'firstName', label: t('field.firstName'), class: 'wide', sort: (u) => u.firstName, cell: (u) => u.firstName},
    {key: 'lastName', label: t('field.lastName'), class: 'wide', sort: (u) => u.lastName, cell: (u) => u.lastName},
    {key: 'extension', label: t('field.extension'), class: 'number', sort: (u) => u.extension, cell: (u) => u.extension || h('span', {class: 'muted'}, t('users.none'))},
  ];
}

// remove deletes a user after asking. It resolves to whether it did.
async function remove(u, etag) {
  const sure = await confirm({
    title: t('users.deleteTitle', {name: called(u)}),
    text: [t(u.extension ? 'users.deleteText' : 'users.deleteTextNoPhone', {extension: u.extension}), t('users.deleteBack')],
    action: t('users.deleteAction', {name: u.user}), danger: true,
  });
  if (!sure) return false;
  try {
    await call('DELETE', `/users/${u.id}`, {etag});
    toast(t('users.deleted', {name: u.user}));
    return true;
  } catch (err) {
    toast(told(err), 'bad');
    return false;
  }
}

const pinHelp = (u) => `${t(u.pinSet ? 'users.pinSet' : 'users.pinNone')} ${t('help.pin')}`;

// followPin shows what a new PIN brings: the user must then choose another,
// unless that is switched off again.
function followPin(form) {
  let before = null; // of the switch, while a PIN is typed
  form.addEventListener('edit', (e) => {
    if (e.target.name !== 'pin') return;
    const must = form.field('mustChangePin');
    if (e.target.value && before === null) {
      before = must.value;
      must.value = true;
    } else if (!e.target.value && before !== null) {
      must.value = before;
      before = null;
    }
  });
}

class Users {
  #open = null;
  #openId = '';
  #form = null;
  #watching = null; // ends what the open sheet follows

  constructor({content, signal, app, session}) {
    Object.assign(this, {content, signal, app, session});
    this.list = new List({
      name: t('users.title'), columns: columns(), sort: 'user', empty: t('users.empty'), searchLabel: t('users.search'),
      open: (u) => `/users/${u.id}`, begins: (u) => [u.user, u.firstName, u.lastName, u.extension],
      actions: (u) => (u.id === 'admin' || u.id === session.id ? [] : [{icon: 'trash', label: t('users.deleteLabel', {name: u.user}), run: async () => {
        if (await remove(u)) await this.load();
      }}]),
    });
  }

  async load() {
    const users = await get('/users');
    if (!this.signal.aborted) this.list.rows = users;
  }

  // entry opens the sheet of a user, of a new one ("new"), or none ("").
  async entry(id) {
    if (id === this.#openId) return;
    this.#close();
    this.#openId = id;
    if (id === 'new') this.#edit(null);
    else if (id) await this.#load(id);
  }

  async #load(id) {
    try {
      const {body, etag} = await call('GET', `/users/${id}`);
      if (this.#openId === id) this.#edit(body, etag);
    } catch (err) {
      toast(told(err), 'bad');
      this.#back();
    }
  }

  #close() {
    this.#watching?.abort();
    this.#open?.close();
    this.#open = null;
    this.#form = null;
    this.#openId = '';
  }

  #back() {
    this.#close();
    this.app.go('/users', {replace: true}); // Back does not open again what was closed
  }

  #edit(user, etag) {
    const isNew = !user;
    const values = user ?? {user: '', extension: '', firstName: '', lastName: '', admin: false, mustChangePin: true};
    const state = {user, etag};
    const extra = isNew ? null : this.#extra(state);
    const form = new Form({
      schema: 'UserChange', sections, values, isNew, extra, action: isNew ? t('users.add') : undefined,
      help: isNew ? {pin: t('help.pinNew'), sipPassword: t('help.sipPasswordNew')} : {pin: pinHelp(user)},
      cancel: isNew ? () => this.#open.ask() : undefined,
      save: (v, changes) => (isNew ? this.#add(v) : this.#change(state, v, changes)),
      fresh: async () => {
        const now = await call('GET', `/users/${state.user.id}`);
        return {values: now.body, take: () => this.#take(state, now)};
      },
    });
    this.#form = form;
    if (!isNew && user.id !== this.session.id) followPin(form);
    this.#open = sheet({
      title: isNew ? t('users.new') : called(user), content: form,
      leave: () => form.changes.length === 0 || confirm({title: t('form.leaveTitle'), text: t('form.leaveText'), action: t('form.leave'), danger: true}),
      closed: () => this.#back(),
    });
    if (isNew) form.querySelector('g-field').focus();
  }

  async #add(v) {
    const {body: u} = await call('POST', '/users', {body: v});
    toast(t('users.added', {name: u.user}));
    await this.load();
    this.#close();
    this.app.go(`/users/${u.id}`, {replace: true}); // where the phone's data is
  }

  async #change(state, v, changes) {
    const body = {user: v.user, extension: v.extension, firstName: v.firstName, lastName: v.lastName};
    for (const optional of ['admin', 'pin', 'mustChangePin', 'sipPassword']) {
      if (changes.includes(optional)) body[optional] = v[optional];
    }
    if ('pin' in body && state.user.id !== this.session.id) body.mustChangePin = v.mustChangePin; // as the switch shows
    const after = await call('PUT', `/users/${state.user.id}`, {body, etag: state.etag});
    this.#take(state, after);
    toast(t('users.saved', {name: after.body.user}));
    await this.load();
    return after.body;
  }

  // take makes an answer about the open user the one that the sheet shows.
  #take(state, {body, etag}) {
    const phone = (u) => JSON.stringify([u.user, u.extension, u.sipPasswordSet]);
    const redraw = phone(state.user) !== phone(body);
    Object.assign(state, {user: body, etag});
    if (!this.#open) return;
    this.#open.box.querySelector('h2').textContent = called(body);
    this.#form.field('pin').help = pinHelp(body);
    if (redraw) this.#open.box.querySelector('.extra').replaceWith(this.#extra(state));
  }

  // refresh brings the open sheet up to date when nothing in it was edited.
  async refresh() {
    const form = this.#form;
    if (!form || form.isNew) return;
    try {
      await form.refresh();
    } catch (err) {
      if (form !== this.#form || !(err instanceof Problem) || err.status !== 404) return; // a lost connection has its banner
      toast(t('users.gone'), 'bad');
      this.#back();
    }
  }

  leave() {
    this.#close();
  }

  // extra is what a sheet shows below the form: set-up of the phone, and the
  // end of the user.
  #extra(state) {
    const u = state.user;
    const box = h('div', {class: 'extra'});
    if (u.extension) {
      const phones = h('div');
      const draw = () => phones.replaceChildren(registeredPhones(live.registrations.get(u.extension) ?? []));
      this.#watching?.abort();
      this.#watching = new AbortController();
      live.follow(AbortSignal.any([this.signal, this.#watching.signal]), (kind) => {
        if (kind === 'registration' || kind === 'all') draw();
      });
      draw();
      put(box, [h('section', {class: 'phone-setup'}, h('h3', {}, t('phone.title')), h('p', {class: 'help'}, t('phone.help')),
        phoneSetup(u.extension, this.session.sipPort, passwordRow(state)), h('h4', {}, t('phone.registered')), phones)]);
    }
    if (u.id !== 'admin' && u.id !== this.session.id) {
      put(box, h('section', {class: 'danger-zone'}, button('danger-quiet', t('users.delete'), async () => {
        if (await remove(state.user, state.etag)) {
          this.#back();
          await this.load();
        }
      }, {icon: 'trash'})));
    }
    return box;
  }
}

export default {
  path: '/users', title: 'users.title', about: 'users.about', entries: true,
  action: () => h('a', {class: 'button primary', href: '/users/new'}, t('users.add')),
  async show(context) {
    const screen = new Users(context);
    context.content.append(screen.list);
    await screen.load();
    live.follow(context.signal, async (kind) => {
      if (kind === 'registration') screen.list.rows = screen.list.rows;
      else if (kind === 'revision' || kind === 'all') {
        await screen.load().catch(() => {}); // a lost connection has its banner
        await screen.refresh();
      }
    });
    context.signal.addEventListener('abort', () => screen.leave());
    await screen.entry(context.entry);
    return {entry: (id) => screen.entry(id)};
  },
};
