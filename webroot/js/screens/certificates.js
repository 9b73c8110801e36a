// System > Certificates: those of the page, upload, and the change to another.

import {h, put, facts, button, icon} from '../dom.js';
import {t, day, message} from '../text.js';
import {call, get} from '../api.js';
import {live} from '../live.js';
import * as schema from '../schema.js';
import {Form} from '../form.js';
import {attempt, confirm, mayDelete, mayDiscard, sheet, toast} from '../dialog.js';
import '../pending.js'; // once the page's certificate is another, it may not be had

const warning = (w) => message(w.template, w.args);
const title = (c) => (c.id === 'device' ? t('certificates.own') : c.description);

// file is a button that puts a text file into a field.
function file(form, name, label) {
  const input = h('input', {type: 'file', hidden: true, accept: '.pem,.crt,.cer,.key,.txt', onchange: async () => {
    const chosen = input.files[0];
    input.value = '';
    if (!chosen) return;
    const field = form.field(name);
    if (chosen.size > 65536) field.error = t('certificates.large');
    else {
      field.value = await chosen.text();
      field.dispatchEvent(new Event('edit', {bubbles: true}));
      field.validate();
    }
  }});
  return [input, button('plain small', label, () => input.click(), {icon: 'upload'})];
}

class Certificates {
  constructor({content, signal, app}) {
    Object.assign(this, {signal, app, box: h('div.content')});
    content.classList.add('reading');
    content.append(this.box);
  }

  async load() {
    const list = await get('/certificates');
    if (this.signal.aborted) return;
    this.box.replaceChildren(...list.map((c) => this.#card(c)));
  }

  #card(c) {
    const fact = (name, value) => value && [schema.label(name, 'Certificate'), value];
    return h('section.card.certificate', {'data-id': c.id},
      h('div.card-head', h('h2', title(c)), c.inUse && h('span.tag.good', t('certificates.inUse')), c.authority && h('span.tag', t('certificates.authority'))),
      c.warnings.map((w) => h('p.notice', icon('alert'), h('span', warning(w)))),
      facts([fact('names', c.names.join(', ')), fact('issuer', c.issuer),
        [t('certificates.valid'), t('certificates.period', {from: day(c.notBefore), to: day(c.notAfter)})],
        fact('keyType', c.keyType), fact('fingerprint', h('code', c.fingerprint))]),
      !c.inUse && h('div.actions',
        c.id !== 'device' && button('danger-quiet', t('entry.deleteAction'), () => this.#remove(c), {icon: 'trash'}),
        !c.authority && button('plain', t('certificates.use'), () => this.#use(c))));
  }

  async #use(c) {
    const sure = await confirm({title: t('certificates.useTitle', {name: title(c)}), action: t('certificates.useAction'),
      text: [t('certificates.useText'), t('certificates.useBack'), ...c.warnings.map(warning)]});
    if (!sure) return;
    await attempt(async () => {
      const {etag} = await call('GET', `/certificates/${c.id}`);
      ({body: live.pending} = await call('POST', `/certificates/${c.id}/use`, {etag}));
      live.dispatchEvent(new CustomEvent('change', {detail: 'pending'})); // the stream of events begins anew
      toast(t('certificates.used'));
      await this.load();
    });
  }

  async #remove(c) {
    if (!(await mayDelete(t('entry.deleteTitle', {name: title(c)}), t('certificates.deleteText')))) return;
    await attempt(async () => {
      const {etag} = await call('GET', `/certificates/${c.id}`);
      await call('DELETE', `/certificates/${c.id}`, {etag});
      await this.load();
    });
  }

  // entry opens the sheet of a new certificate; the others stand in the list.
  entry(id) {
    if (id === 'new' && !this.open) this.#add();
    else if (!id) this.close();
  }

  close() {
    this.open?.close();
    this.open = null;
  }

  #back() {
    this.close();
    this.app.go('/certificates', {replace: true}); // Back does not open again what was closed
  }

  #add() {
    const shape = schema.body('POST', '/certificates');
    const long = (name) => ({property: {...schema.property(shape, name), 'x-multiline': true, writeOnly: false}});
    const form = new Form({
      schema: shape, options: {certificate: long('certificate'), key: long('key')}, sections: {'': ['description', 'certificate', 'key']}, isNew: true, action: t('certificates.add'),
      values: {description: '', certificate: '', key: ''}, cancel: () => this.open.ask(),
      save: async (body) => {
        const {body: c} = await call('POST', '/certificates', {body});
        this.#back();
        toast(t('entry.added', {name: title(c)}));
        await this.load();
        return null;
      },
    });
    this.open = sheet({title: t('certificates.add'), content: form, closed: () => this.#back(),
      leave: () => form.changes.length === 0 || mayDiscard()});
    for (const name of ['certificate', 'key']) put(form.field(name), file(form, name, t(`certificates.${name}File`)));
    form.field('description').focus();
  }
}

export default async function show(context) {
  const screen = new Certificates(context);
  await screen.load();
  context.signal.addEventListener('abort', () => screen.close());
  screen.entry(context.entry);
  live.keep(context.signal, ['revision', 'pending'], () => screen.load());
  return {entry: (id) => screen.entry(id)};
}
