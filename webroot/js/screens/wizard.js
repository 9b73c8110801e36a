// System > Installation wizard: one step after the other; the device takes all
// of it at the end, at once. A step is added to the list named steps.

import {h, put, facts, button, icon, styles} from '../dom.js';
import {t, load, languages} from '../text.js';
import {call, get, told} from '../api.js';
import {Field} from '../field.js';
import * as schema from '../schema.js';
import {attempt, mayDiscard, toast} from '../dialog.js';
import {tabs} from '../tabs.js';
import {profile, hides, named, choices} from '../country.js';
import * as mail from '../mail.js';

await styles('wizard');

const empty = (u) => !u.firstName && !u.lastName && !u.extension;

// filled are the users up to the last that is filled in: they have their places.
const filled = (users) => users.slice(0, users.findLastIndex((u) => !empty(u)) + 1);

// What the wizard asks of an account; the other parameters have their defaults. A name can be left
// out, and the server of the provider is needed.
const account = ['registrar', 'user', 'password'];
const further = ['authUser', 'proxy', 'port', 'transport', 'name'];
const accountHelp = {name: () => ({help: t('wizard.lineName'), must: false}), password: () => ({help: ''})};
const lineName = ({gateway}) => gateway.name || gateway.registrar.slice(0, 50);

// A step is {id, draw(wizard) (nodes), fields(wizard) ({place of an error in
// the API: Field}), take(wizard) (reads the fields), check(wizard) (more rules,
// as {place: text}), review(wizard) ([[label, value]])}.
const steps = [
  {
    id: 'language',
    fields: (w) => ({'locale.language': w.field(w.locale, 'language', w.state.locale.language, {label: t('wizard.languageLabel'), choices: languages.map((id) => ({id, label: t(`value.language.${id}`)}))})}),
    draw: (w) => {
      w.fields['locale.language'].addEventListener('edit', () => w.speak(w.fields['locale.language'].value));
      return w.fields['locale.language'];
    },
    take: (w) => {
      w.state.locale.language = w.fields['locale.language'].value;
    },
    review: ({state}) => [[t('wizard.languageLabel'), t(`value.language.${state.locale.language}`)]],
  },
  {
    id: 'country',
    fields: (w) => {
      const {timeZones} = w.country();
      return {
        'locale.country': w.field(w.locale, 'country', w.state.locale.country, {choices: choices(w.countries)}),
        'locale.timeZone': w.field(w.locale, 'timeZone', timeZones.includes(w.state.locale.timeZone) ? w.state.locale.timeZone : timeZones[0],
          {choices: timeZones.map((id) => ({id, label: id}))}),
      };
    },
    draw: (w) => {
      const {'locale.country': field, 'locale.timeZone': zone} = w.fields;
      zone.hidden = w.country().timeZones.length < 2;
      field.addEventListener('edit', () => {
        w.state.locale.country = field.value;
        [w.state.locale.timeZone] = w.country().timeZones;
        Object.assign(w.state.locale, {outsideLine: w.country().outsideLine, areaCode: ''});
        w.draw();
        w.fields['locale.country'].focus();
      });
      const words = h('div.words');
      const {code} = w.country();
      get(`/countries/${code}`).then((c) => put(words, [h('h3', t('wizard.sets', {country: named(code)})), profile(c, w.signal, true)]), () => {}); // words can be missed
      return [field, zone, words];
    },
    take: (w) => {
      w.state.locale.timeZone = w.fields['locale.timeZone'].value;
    },
    review: ({state, country}) => [[schema.label('country', 'Locale'), named(country().code)], [schema.label('timeZone', 'Locale'), state.locale.timeZone],
      [schema.label('emergency', 'Country'), country().emergency.join(', ')]],
  },
  {
    id: 'mail',
    fields: (w) => {
      const options = mail.options(w.state.mail);
      return Object.fromEntries(Object.values(mail.sections).flat().map((n) => [`mail.${n}`, w.field(w.mailSchema, n, w.state.mail[n], options[n])]));
    },
    draw: (w) => {
      const box = h('div.content', Object.values(w.fields));
      const test = mail.tester({to: w.me.email, field: (n) => w.fields[`mail.${n}`], settings: () => {
        w.step.take(w);
        return mail.sent(w.state.mail);
      }});
      const show = () => {
        const values = Object.fromEntries(Object.values(w.fields).map((f) => [f.name, f.value]));
        for (const f of Object.values(w.fields)) if (f.options.when) f.hidden = !f.options.when(values);
        test.hidden = !values.enabled;
      };
      box.addEventListener('edit', show);
      queueMicrotask(show);
      return [box, test];
    },
    take: (w) => {
      for (const f of Object.values(w.fields)) w.state.mail[f.name] = f.value;
    },
    check: ({state}) => (state.mail.enabled && !state.mail.server ? {'mail.server': t('rule.needed')} : {}),
    review: ({state, mailSchema}) => (state.mail.enabled ? ['senderAddress', 'server', 'port', 'security', 'authentication'] : ['enabled'])
      .map((n) => [schema.title(schema.property(mailSchema, n), n), schema.written(state.mail[n], schema.property(mailSchema, n), n)]),
  },
  {
    id: 'line',
    fields: (w) => {
      const {line, locale} = w.state;
      const sip = {when: (v) => v.kind === 'sip'};
      return {
        'line.kind': w.field('', 'kind', line.kind, {label: t('wizard.lineKind'), property: {type: 'string'}, choices: ['sip', 'none'].map((id) => ({id, label: t(`wizard.line.${id}`)}))}),
        ...Object.fromEntries([...account, ...further].map((n) => [`line.gateway.${n}`, w.field(w.gatewaySchema, n, line.gateway[n], {...sip, ...accountHelp[n]?.()})])),
        ...Object.fromEntries(['number', 'answer'].map((n) => [`line.${n}`, w.field('WizardLine', n, line[n], sip)])),
        ...Object.fromEntries(['outsideLine', 'areaCode'].map((n) => [`locale.${n}`, w.field(w.locale, n, locale[n], sip)])),
      };
    },
    draw: (w) => {
      const folded = Object.values(w.fields).filter((f) => further.includes(f.name));
      const fold = h('details.fold', h('summary', icon('down'), t('wizard.further')), h('fieldset', folded));
      const box = h('div.content', Object.values(w.fields).filter((f) => !folded.includes(f)), fold);
      const show = () => {
        fold.hidden = w.fields['line.kind'].value !== 'sip';
        const values = {kind: w.fields['line.kind'].value};
        for (const f of Object.values(w.fields)) if (f.options.when) f.hidden = !f.options.when(values);
      };
      box.addEventListener('edit', show);
      queueMicrotask(show);
      return [w.lines.length > 0 && h('p.help', t('wizard.lines', {names: w.lines.join(', ')})), box];
    },
    take: (w) => {
      const {line, locale} = w.state;
      for (const [place, f] of Object.entries(w.fields)) {
        const of = place.startsWith('locale.') ? locale : place.startsWith('line.gateway.') ? line.gateway : line;
        of[f.name] = f.value;
      }
    },
    check: ({state: {line: {kind, gateway}}}) => Object.fromEntries(['registrar', 'user'].map((n) => [`line.gateway.${n}`, kind === 'sip' && !gateway[n] ? t('rule.needed') : ''])),
    review: ({state: {line, locale, users}, gatewaySchema}) => (line.kind !== 'sip' ? [[t('wizard.lineKind'), t('wizard.line.none')]]
      : [[t('wizard.lineKind'), t('wizard.line.sip')], ...['name', 'registrar', 'user'].map((n) => [schema.title(schema.property(gatewaySchema, n), n), (n === 'name' && lineName(line)) || line.gateway[n]]),
        [schema.label('number', 'WizardLine'), line.number || t('value.none')], [schema.label('answer', 'WizardLine'), line.answer || users[0].extension || t('value.none')], [schema.label('outsideLine', 'Locale'), locale.outsideLine || t('value.none')], [t('wizard.line.routes'), t('wizard.line.made')]]),
  },
  {
    id: 'users',
    fields: (w) => Object.fromEntries(w.state.users.flatMap((u, i) => ['firstName', 'lastName', 'extension'].map((n) => [`users[${i}].${n}`,
      w.field(w.userSchema, n, u[n], {help: '', must: false})]))),
    draw: (w) => [w.makes && h('p.help', t('wizard.pin')), w.state.users.map((u, i) => h('fieldset.person', h('legend', t('wizard.user', {name: `demo${101 + i}`})),
      ['firstName', 'lastName', 'extension'].map((n) => {
        const f = w.fields[`users[${i}].${n}`];
        if (n === 'extension') f.addEventListener('change', () => w.number(f));
        return f;
      })))],
    take: (w) => w.state.users.forEach((u, i) => ['firstName', 'lastName', 'extension'].forEach((n) => {
      u[n] = w.fields[`users[${i}].${n}`].value;
    })),
    check: (w) => Object.fromEntries(filled(w.state.users).map((u, i) => [`users[${i}].extension`, w.absent[i] && empty(u) ? '' : !u.extension ? t('rule.needed')
      : w.wrongNumber(u.extension) || (w.state.users.findIndex((x) => x.extension === u.extension) < i ? t('wizard.twice') : '')])),
    review: ({state}) => {
      const people = filled(state.users).map((u, i) => [`demo${101 + i}`, u]).filter(([, u]) => !empty(u));
      return people.length ? people.map(([name, u]) => [name, [u.firstName, u.lastName, u.extension].filter(Boolean).join(', ')]) : [[t('wizard.step.users'), t('wizard.noUsers')]];
    },
  },
  {
    id: 'review',
    fields: () => ({}),
    draw: (w) => {
      const parts = steps.filter((s) => s.review);
      const name = (s) => t(`wizard.step.${s.id}`);
      return [tabs(t('wizard.step.review'), [{id: '', text: t('list.allLetters')}, ...parts.map((s) => ({id: s.id, text: name(s)}))], w.tab, (id) => {
        w.tab = id;
        w.draw();
        w.querySelector('[aria-selected=true]').focus();
      }), h('div.content', {role: 'tabpanel'}, parts.filter((s) => !w.tab || s.id === w.tab).map((s) => h('section', h('div.card-head', h('h3', name(s)),
        button('plain small', t('wizard.change'), () => w.go(s.id), {'aria-label': `${t('wizard.change')}: ${name(s)}`})), facts(s.review(w)))))];
    },
    take: () => {},
  },
];

class Wizard extends HTMLElement {
  #at = 0;
  #errors = {}; // place => text, shown when its step is drawn
  #edited = false;
  tab = ''; // of the review; '' shows all parts

  constructor({signal, app, session}, {body: begin, etag}, countries, me) {
    super();
    Object.assign(this, {signal, app, session, countries, me, etag});
    this.locale = schema.body('PUT', '/locale');
    this.mailSchema = schema.body('PUT', '/email-delivery');
    this.userSchema = 'WizardUser';
    this.gatewaySchema = schema.body('POST', '/gateways');
    this.lines = begin.lines;
    const gateway = Object.keys(schema.of(this.gatewaySchema)).filter((n) => !n.startsWith('$') && n !== 'password').map((n) => [n, schema.blank(schema.property(this.gatewaySchema, n))]);
    // The first time the reader's language is the best guess, and all users are new.
    this.state = {
      locale: {...begin.locale, ...(!begin.done && {language: document.documentElement.lang})}, mail: {...begin.mail}, users: begin.users,
      line: {kind: 'none', gateway: Object.fromEntries(gateway), number: '', answer: ''},
    };
    this.absent = begin.users.map(empty);
    this.makes = !begin.done || this.absent.includes(true);
    this.country = () => this.countries.find((c) => c.code === this.state.locale.country) ?? this.countries[0];
    this.addEventListener('edit', () => {
      this.#edited = true;
    });
  }

  connectedCallback() {
    if (!this.step) this.draw(true);
  }

  // changes tells the page that something would be lost.
  get changes() {
    return this.#edited ? [''] : [];
  }

  field(shape, name, value, options) {
    const f = new Field(shape, name, options);
    f.value = value;
    return f;
  }

  // wrongNumber says why an extension cannot be, before the device does.
  wrongNumber(extension) {
    const e = hides(this.country(), extension);
    return e ? t('wizard.hides', {number: e}) : '';
  }

  number(f) {
    f.error ||= this.wrongNumber(f.value);
  }

  async speak(language) {
    this.step.take(this);
    await load(language).catch(() => {}); // the words stay as they are
    this.draw();
    this.fields['locale.language'].focus();
  }

  go(id) {
    this.#at = steps.findIndex((s) => s.id === id);
    this.draw(true);
  }

  draw(focus) {
    this.step = steps[this.#at];
    const {id} = this.step;
    this.fields = this.step.fields(this);
    const last = this.#at === steps.length - 1;
    const places = h('ol.track', steps.map((s, i) => h('li', {'aria-current': i === this.#at ? 'step' : false, class: i < this.#at && 'done'},
      i < this.#at ? button('quiet small', t(`wizard.step.${s.id}`), () => this.go(s.id), {icon: 'check'}) : h('span', t(`wizard.step.${s.id}`)))));
    const title = h('h2', {tabindex: '-1'}, t(`wizard.step.${id}`));
    const body = h('form', {novalidate: true, onsubmit: (e) => {
      e.preventDefault();
      this.#next();
    }}, h('div', h('p.muted', {role: 'status'}, t('wizard.position', {step: this.#at + 1, all: steps.length})), title,
      h('p.lead', t(`wizard.about.${id}`))), this.alert = h('div', {role: 'alert'}), this.step.draw(this),
    h('div.actions.wizard-actions', button('quiet', t('wizard.leave'), () => this.#leave()),
      this.#at > 0 && button('plain', t('wizard.back'), () => {
        this.step.take(this);
        this.go(steps[this.#at - 1].id);
      }),
      h('button.button.primary', {type: 'submit'}, t(last ? 'wizard.submit' : 'wizard.next'))));
    this.replaceChildren(places, h('section.card.wizard', body));
    const head = this.closest('main')?.querySelector('.head');
    head?.querySelector('h1').replaceChildren(t('wizard.title'));
    head?.querySelector('.lead').replaceChildren(t('wizard.about'));
    if (focus) title.focus({preventScroll: true});
    if (focus) scrollTo(0, 0);
    for (const [place, text] of Object.entries(this.#errors)) {
      if (!this.fields[place]) continue;
      this.fields[place].error = text;
      delete this.#errors[place];
    }
    this.querySelector('g-field.wrong')?.focus();
  }

  #next() {
    const wrong = Object.values(this.fields).filter((f) => !f.validate());
    this.step.take(this);
    for (const [place, text] of Object.entries(this.step.check?.(this) ?? {})) {
      if (!text || this.fields[place].error) continue;
      this.fields[place].error = text;
      wrong.push(this.fields[place]);
    }
    if (wrong.length) wrong[0].focus();
    else if (this.#at < steps.length - 1) this.go(steps[this.#at + 1].id);
    else this.#submit();
  }

  async #submit() {
    const submit = this.querySelector('[type=submit]');
    submit.disabled = true;
    const {locale, mail: post, users, line: {kind, gateway, ...numbers}} = this.state;
    const line = kind === 'sip' ? {gateway: {...gateway, name: lineName({gateway})}, ...numbers} : undefined;
    try {
      await call('POST', '/wizard', {etag: this.etag, body: {locale, mail: mail.sent(post), users: filled(users), line}});
      toast(t('wizard.done'));
      this.#over();
    } catch (err) {
      submit.disabled = false;
      this.#failed(err);
    }
  }

  // failed goes to the first step in which something is wrong.
  #failed(err) {
    const details = err.details ?? [];
    for (const d of details) this.#errors[d.location.replace(/^body\./, '')] = d.message;
    const first = steps.find((s) => Object.keys(s.fields(this)).some((place) => this.#errors[place]));
    if (first) this.go(first.id);
    const texts = first ? [t('wizard.wrong')] : [told(err), ...details.map((d) => d.message)];
    this.alert.replaceChildren(h('p.alert', icon('alert'), [...new Set(texts)].join(' ')));
  }

  async #leave() {
    if (this.#edited && !(await mayDiscard())) return;
    await attempt(async () => {
      await call('POST', '/wizard/leave');
      this.#over();
    });
  }

  #over() {
    this.#edited = false;
    this.session.wizardDone = true;
    this.app.go('/');
  }
}

customElements.define('g-wizard', Wizard);

export default async function show(context) {
  const {content, signal, app, session} = context;
  const [begin, countries, me] = await Promise.all([call('GET', '/wizard'), get('/countries'), get('/profile').catch(() => ({}))]);
  content.classList.add('reading');
  content.append(new Wizard(context, begin, countries, me));
  app.classList.add('alone');
  signal.addEventListener('abort', () => {
    app.classList.remove('alone');
    load(session.language).catch(() => {}); // the words stay as they are
  });
}
