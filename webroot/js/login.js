// Login, and what the other forms without a schema are made of.

import {h, icon, uid} from './dom.js';
import {t, sentence} from './text.js';
import {call, told, Problem} from './api.js';

function input(key, attributes) {
  const id = uid();
  const el = h('input', {id, ...attributes});
  const error = h('p.error', {id: uid(), hidden: true});
  el.setAttribute('aria-describedby', error.id);
  return {
    el, row: h('div.row', h('label', {for: id}, t(key)), el, error),
    set error(text) {
      error.textContent = sentence(text, t(key));
      error.hidden = !text;
      el.toggleAttribute('aria-invalid', Boolean(text));
    },
  };
}

// pin is the input of a PIN.
export const pin = (key, autocomplete) => input(key, {type: 'password', inputmode: 'numeric', autocomplete, maxlength: 10, required: true});

// form makes a form that tells its trouble in one place. run may throw a
// Problem, whose fields go to the inputs of the same names.
export function form(inputs, action, run) {
  const alert = h('p.alert', {role: 'alert', hidden: true});
  const submit = h('button.button.primary.wide', {type: 'submit'}, action);
  const say = (text) => {
    alert.textContent = text;
    alert.hidden = !text;
  };
  const el = h('form', {novalidate: true, onsubmit: async (e) => {
    e.preventDefault();
    say('');
    for (const i of Object.values(inputs)) i.error = i.el.required && !i.el.value ? t('rule.needed') : '';
    const empty = Object.values(inputs).find((i) => i.el.required && !i.el.value);
    if (empty) {
      empty.el.focus();
      return;
    }
    submit.disabled = true;
    try {
      await run();
    } catch (err) {
      let placed = false;
      for (const [name, text] of Object.entries(err instanceof Problem ? err.fields() : {})) {
        if (!inputs[name]) continue;
        inputs[name].error = text;
        inputs[name].el.focus();
        placed = true;
      }
      if (!placed) say(err instanceof Problem ? message(err) : told(err));
    } finally {
      submit.disabled = false;
    }
  }}, alert, Object.values(inputs).map((i) => i.row), submit);
  return {el, say};
}

function message(err) {
  if (err.status === 401) return t('login.wrong');
  if (err.status === 429) return t('login.wait', {n: err.retryAfter});
  return err.message;
}

// queued tries again while the device has too many logins at a time.
async function queued(send) {
  for (let left = 5; ; left--) {
    try {
      return await send();
    } catch (err) {
      if (!(err instanceof Problem) || err.status !== 503 || !left) throw err;
      await new Promise((go) => setTimeout(go, 1000 * (err.retryAfter || 1)));
    }
  }
}

// loginScreen asks for user and PIN; done gets the PIN when it must be changed. user is who most
// likely logs in.
export function loginScreen(done, notice, user = '') {
  const inputs = {
    user: input('login.user', {type: 'text', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: 50, required: true, value: user}),
    pin: pin('login.pin', 'current-password'),
  };
  const f = form(inputs, t('login.action'), async () => {
    const body = {user: inputs.user.el.value.trim(), pin: inputs.pin.el.value};
    try {
      const answer = await queued(() => call('POST', '/login', {body, quiet: true}));
      await done(answer.body.mustChangePin ? body.pin : null);
    } catch (err) {
      inputs.pin.el.value = '';
      inputs.pin.el.focus();
      throw err;
    }
  });
  queueMicrotask(() => inputs[user ? 'pin' : 'user'].el.focus());
  return welcome(t('login.title'), notice ? h('p.notice', {role: 'status'}, icon('alert'), notice) : h('p.help', t('login.first')), f.el);
}

// loginAgain asks for it over the page, which is hidden but stays as it is. It returns what ends that.
export function loginAgain(user, done) {
  const box = h('dialog.again', {'aria-label': t('login.title')}, loginScreen(done, t('login.expired'), user));
  // There is no way past it: Escape would reach what lies below.
  const keep = (e) => {
    if (!box.isConnected) removeEventListener('keydown', keep, true);
    else if (e.key === 'Escape') e.preventDefault();
  };
  addEventListener('keydown', keep, true);
  box.addEventListener('close', () => box.isConnected && box.showModal());
  document.body.append(box);
  box.showModal();
  return () => box.remove();
}

// welcome is the frame of the screens before the menu.
export function welcome(title, ...content) {
  return h('main.welcome',
    h('div.brand', h('img', {src: '/mark.svg', alt: '', width: 44, height: 44}), h('span', 'Galilei')),
    h('section.card', h('h1', title), content),
    h('p.footnote', location.host));
}
