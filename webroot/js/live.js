// Live facts: registrations, calls, gateways, the number of the current revision, the change that waits to
// be confirmed and the number of uncommitted settings, as the server sends them. Events: "change"
// (detail: kind), "state".

import {events as api, call, Problem} from './api.js';

class Live extends EventTarget {
  registrations = new Map(); // extension => list
  calls = new Map(); // id => call
  lines = new Map(); // ID of the gateway => its state
  revision = 0;
  pending = null; // a change that reverts unless it is confirmed
  drafts = 0; // uncommitted system settings
  state = 'off'; // off, connecting, on, lost, busy
  #ahead = 0; // ms that the device's clock is ahead of the browser's
  #source = null;
  #timer = 0;

  start() {
    this.stop();
    this.#set('connecting');
    this.#open();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.registrations.clear();
    this.calls.clear();
    this.lines.clear();
    this.pending = null;
    this.drafts = 0;
    this.#set('off');
  }

  #open() {
    const source = new EventSource('/api/v1/events');
    this.#source = source;
    source.addEventListener('snapshot', (e) => {
      this.#set('on');
      this.#take(JSON.parse(e.data));
    });
    source.addEventListener('fact', (e) => this.#fact(JSON.parse(e.data)));
    source.addEventListener('logout', () => {
      this.stop();
      api.dispatchEvent(new Event('expired'));
    });
    source.addEventListener('error', () => {
      if (this.#source !== source) return;
      if (source.readyState === EventSource.CLOSED) this.#refused(source);
      else this.#set('lost');
    });
  }

  // refused finds out why: an event source does not tell the status.
  async #refused(source) {
    const probe = new AbortController();
    let status = 0;
    try {
      ({status} = await fetch(source.url, {signal: probe.signal, cache: 'no-store'}));
    } catch { /* nobody answers */ }
    probe.abort();
    if (this.#source !== source) return;
    if (status === 403) api.dispatchEvent(new Event('forbidden'));
    this.#set(status === 503 ? 'busy' : 'lost');
    this.#again();
    if (status !== 503) return;
    try {
      const {body} = await call('GET', '/status', {quiet: true});
      if (this.#source === source && this.state === 'busy') this.#take(body);
    } catch { /* only administrators see the status; others keep what they have */ }
  }

  // take makes a state of the device the one that is shown.
  #take(s) {
    this.registrations = group(s.registrations);
    this.calls = new Map(s.calls.map((c) => [c.id, c]));
    this.lines = new Map(s.lines.map((l) => [l.gateway, l]));
    this.revision = s.revision;
    this.pending = s.pending ?? null;
    this.drafts = s.drafts ?? 0;
    this.#ahead = Date.parse(s.time) - Date.now();
    this.#tell('all');
  }

  // now is the device's time in ms since 1970.
  now() {
    return Date.now() + this.#ahead;
  }

  // again asks for the session first: it may be that which is gone.
  #again() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      try {
        await call('GET', '/session');
      } catch (err) {
        if (err instanceof Problem && err.status === 401) return;
        this.#again();
        return;
      }
      if (this.state === 'lost' || this.state === 'busy') this.#open();
    }, this.state === 'busy' ? 15_000 : 3000);
  }

  #fact(f) {
    if (f.kind === 'registration') {
      if (f.registrations?.length) this.registrations.set(f.extension, f.registrations);
      else this.registrations.delete(f.extension);
    } else if (f.kind === 'call') {
      if (f.call.state === 'ended') this.calls.delete(f.call.id);
      else this.calls.set(f.call.id, f.call);
    } else if (f.kind === 'line') {
      if (f.gone) this.lines.delete(f.line.gateway);
      else this.lines.set(f.line.gateway, f.line);
    } else if (f.kind === 'revision') {
      this.revision = f.revision;
    } else if (f.kind === 'pending') {
      this.pending = f.pending ?? null;
    } else if (f.kind === 'drafts') {
      this.drafts = f.drafts ?? 0;
    }
    this.#tell(f.kind);
  }

  #tell(kind) {
    this.dispatchEvent(new CustomEvent('change', {detail: kind}));
  }

  #set(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  // follow calls fn at every change until the signal aborts.
  follow(signal, fn) {
    this.addEventListener('change', (e) => fn(e.detail), {signal});
  }

  // keep calls load at every change of a kind. It may fail: a lost connection has its banner.
  keep(signal, kinds, load) {
    this.follow(signal, async (kind) => {
      if (kind === 'all' || kinds.includes(kind)) await Promise.resolve(load()).catch(() => {});
    });
  }
}

function group(list) {
  const map = new Map();
  for (const r of list) map.set(r.extension, [...(map.get(r.extension) ?? []), r]);
  return map;
}

export const live = new Live();
