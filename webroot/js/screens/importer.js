// Import and export of CSV files. An import has two steps: the file is shown with a verdict on
// each row, then its good rows are imported.

import {h, put, fill, button, icon, uid, styles} from '../dom.js';
import {t, api, message, number} from '../text.js';
import {Problem} from '../api.js';
import {List} from '../list.js';
import {Upload, dropZone} from '../upload.js';

await styles('import');
await styles('result');

// choice is a labelled select; options are [value, text].
function choice(label, options, changed) {
  const id = uid();
  const el = h('select', {id, onchange: changed}, options.map(([v, text]) => h('option', {value: v}, text)));
  return {el, row: h('div.row', h('label', {for: id}, label), el), get value() {
    return el.value;
  }};
}

// toggle is a labelled switch.
function toggle(label, on, changed) {
  const id = uid();
  const el = h('input.switch', {id, type: 'checkbox', role: 'switch', props: {checked: on}, onchange: changed});
  return {el, row: h('div.switch-row', h('label', {for: id}, label), el), get value() {
    return String(el.checked);
  }};
}

const encodings = () => [['utf-8', 'UTF-8'], ['iso-8859-1', 'ISO-8859-1']];
const separators = (names) => names.map((n) => [n, t(`csv.${n}`)]);

// lacks tells whether a row has one field less than its file has columns.
const lacks = (row) => row.problems.some((p) => p.args?.expected - p.args?.fields === 1);

const said = (problems) => problems.map((p) => h('span.cell-problem', message(p.template, p.args)));

class Importer {
  #file = null;
  #answer = null;
  #asked = 0;

  constructor({resource, kind, groups}) {
    const again = () => this.#check();
    this.resource = resource;
    this.kind = kind;
    this.upload = new Upload();
    this.options = {
      encoding: choice(t('csv.encoding'), encodings(), again),
      separator: choice(t('csv.separator'), separators(['auto', 'comma', 'semicolon', 'tab']), again),
      header: toggle(t('csv.hasHeader'), true, again),
      ...(groups && {createGroups: toggle(t('csv.createGroups'), false, again)}),
    };
    this.missing = choice(t('csv.missing'), [], again);
    this.missing.row.hidden = true;
    this.result = h('div.content');
    this.name = h('p.file-name', {hidden: true});
    const o = this.options;
    this.el = h('section.card.importer', h('h2', t('csv.import')), h('p.help', t(`csv.about.${kind}`)),
      dropZone({label: t('csv.choose'), hint: t('csv.limit'), accept: '.csv,.txt,text/csv,text/plain', chosen: (file) => {
        this.#file = file;
        this.missing.el.replaceChildren();
        this.#check();
      }}), this.name,
      h('div.options', o.encoding.row, o.separator.row, this.missing.row), o.header.row, o.createGroups?.row, this.upload);
  }

  #query(check) {
    const q = new URLSearchParams({check});
    for (const [name, o] of Object.entries(this.options)) q.set(name, o.value);
    if (this.missing.value) q.set('missing', this.missing.value);
    return `${this.resource}/import?${q}`;
  }

  // send uploads the file; an answer that is overtaken by another is dropped.
  async #send(check) {
    const asked = ++this.#asked;
    try {
      const answer = await this.upload.start('POST', this.#query(check), this.#file, {type: 'text/csv'});
      return asked === this.#asked ? answer?.body : null;
    } catch (err) {
      if (asked === this.#asked) this.result.replaceChildren();
      if (!(err instanceof Problem)) return null;
      const more = Object.values(err.fields()).filter((x) => x && x !== err.message);
      if (more.length) this.result.replaceChildren(h('p.alert', {role: 'alert'}, icon('alert'), more.join(' ')));
      return null;
    }
  }

  async #check() {
    if (!this.#file) return;
    this.name.hidden = false;
    this.name.textContent = t('csv.file', {name: this.#file.name, size: number(Math.ceil(this.#file.size / 1024))});
    const body = await this.#send(true);
    if (!body) return;
    this.#answer = body;
    this.#draw(false);
  }

  async #import(go) {
    go.disabled = true;
    const body = await this.#send(false);
    go.disabled = false;
    if (!body) return;
    this.#answer = body;
    this.#file = null;
    this.name.hidden = true;
    this.#draw(true);
    this.result.querySelector('h2').focus();
  }

  #draw(done) {
    const a = this.#answer;
    const short = a.rows.some(lacks);
    if (!this.missing.value) {
      this.missing.el.replaceChildren(...[['', t('csv.missingNone')], ...a.columns.filter((c) => c.name).map((c) => [c.name, api(c.title)])].map(([v, text]) => h('option', {value: v}, text)));
    }
    this.missing.row.hidden = !short && !this.missing.value;
    const list = new List({
      name: t('csv.rows'), keep: 'csv', sort: 'line', empty: t('csv.noRows'),
      columns: [
        {key: 'line', label: t('csv.line'), class: 'number'},
        {key: 'ok', label: t('csv.verdict'), sort: (r) => (r.ok ? 1 : 0), cell: (r) => this.#verdict(r, done)},
        ...a.columns.map((c, i) => ({key: `${i} ${c.name}`, label: api(c.title), sort: false, cell: (r) => this.#cell(r, c, i)})),
      ],
    });
    const only = toggle(t('csv.onlyBad'), false, () => {
      list.rows = a.rows.filter((r) => !only.el.checked || !r.ok).map((r) => ({...r, id: r.line}));
    });
    const n = done ? a.imported : a.good;
    const words = done ? t(`csv.done.${this.kind}`, {n, count: number(n)}) : t('csv.good', {n, count: number(n), all: number(a.total)});
    const bad = a.total - n;
    const go = button('primary', t(`csv.go.${this.kind}`, {n, count: number(n)}), () => this.#import(go), {disabled: n === 0});
    fill(this.result,
      h('div.card-head', h('h2', {tabindex: '-1'}, done ? t('csv.finished') : t('csv.preview')), !done && go),
      h('div', {class: `result ${bad ? 'wait' : 'good'}`, role: 'status'}, icon(bad ? 'alert' : 'check'),
        h('div', h('p', words), bad > 0 && h('p', t(done ? 'csv.left' : 'csv.bad', {n: bad, count: number(bad)})),
          a.warnings.map((m) => h('p', message(m.template, m.args))),
          short && !done && h('p', t('csv.short')), a.truncated && h('p', t('csv.truncated', {count: number(a.rows.length)})))),
      bad > 0 && only.row, h('div.scroll', list));
    list.rows = a.rows.map((r) => ({...r, id: r.line}));
  }

  #verdict(r, done) {
    const {columns} = this.#answer;
    const own = r.problems.filter((p) => !columns.some((c) => c.name === p.column));
    const at = columns.filter((c) => c.name && r.problems.some((p) => p.column === c.name)).map((c) => api(c.title));
    const [kind, key] = r.ok ? ['good', done ? 'csv.imported' : 'csv.ok'] : ['bad', done ? 'csv.notImported' : 'csv.wrong'];
    return [h('span', {class: `tag ${kind}`}, t(key)), said(own), at.length > 0 && h('span.reason', at.join(', '))];
  }

  // cell shows a value as it was understood, or, in a row that was not, as it
  // was read, and what is wrong with it.
  #cell(r, c, i) {
    const unread = r.problems.some((p) => !p.column && p.args?.expected);
    const v = (unread ? r.fields[i] : r.values[c.name] ?? r.fields[i]) ?? '';
    return [Array.isArray(v) ? v.join(', ') : typeof v === 'boolean' ? t(v ? 'value.on' : 'value.off') : String(v),
      c.name && said(r.problems.filter((p) => p.column === c.name))];
  }
}

// exporter makes the download of a list.
function exporter({resource, kind}) {
  const contacts = kind === 'contacts';
  const changed = () => {
    const q = new URLSearchParams({encoding: encoding.value, separator: separator.value, header: header.value});
    if (contacts) q.set('columns', columns.value);
    link.href = `/api/v1${resource}/export?${q}`;
  };
  const encoding = choice(t('csv.encoding'), encodings(), changed);
  const separator = choice(t('csv.separator'), separators(contacts ? ['comma', 'semicolon'] : ['semicolon', 'comma', 'tab']), changed);
  const columns = choice(t('csv.columns'), [['10', t('csv.columns10')], ['6', t('csv.columns6')]], changed);
  const header = toggle(t('csv.withHeader'), true, changed);
  const link = h('a.button.plain', {download: ''}, icon('download'), h('span', t('csv.download')));
  changed();
  return h('section.card.importer', h('h2', t('csv.export')), h('p.help', t(`csv.exports.${kind}`)),
    h('div.options', encoding.row, separator.row, contacts && columns.row), header.row, h('div', link));
}

// csvScreen is the screen for a list that can be imported and exported.
const csvScreen = (spec) => ({content}) => {
  const importer = new Importer(spec);
  put(content, [h('div.halves', importer.el, exporter(spec)), importer.result]);
};

export const users = csvScreen({resource: '/users', kind: 'users', groups: true});
export const contacts = csvScreen({resource: '/contacts', kind: 'contacts'});
export const privateContacts = csvScreen({resource: '/private-contacts', kind: 'contacts'});
