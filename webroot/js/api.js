// Calls of the HTTP API. The session is a cookie that scripts cannot read.

import {t, api, message} from './text.js';

const prefix = '/api/v1';

// Problem is an answer that says why not (RFC 9457), in the page's language.
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(said(body) || api(body?.title) || `HTTP ${status}`);
    this.status = status;
    this.type = body?.type;
    this.retryAfter = retryAfter;
    this.details = (body?.errors ?? []).map((d) => ({location: d.location ?? '', message: said(d)}));
  }

  // fields maps field names to messages; '' holds what belongs to none. What
  // is wrong with one place of a list says which.
  fields() {
    const map = {};
    for (const d of this.details) {
      const [, name, place] = /^(?:body\.?)?([^[]*)(?:\[(\d+)\])?/.exec(d.location);
      const text = place ? t('form.place', {place: Number(place) + 1, text: d.message}) : d.message;
      map[name] = map[name] ? `${map[name]}; ${text}` : text;
    }
    return map;
  }
}

const said = (x) => (x?.template ? message(x.template, x.args) : api(x?.detail ?? x?.message));

// Unreachable says that no answer came at all.
export class Unreachable extends Error {}

// events tells "expired" when the server no longer knows the session,
// "forbidden" when the user may not do something (rights may have changed, or
// the PIN must be), "fault" when the device could not, and "warned" when what was
// saved makes emergency calls impossible.
export const events = new EventTarget();

// answered returns {body, etag, total} of an answer, or throws its Problem.
function answered(status, text, header, quiet) {
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(status, {});
  }
  if (header('Galilei-Warning') && !quiet) events.dispatchEvent(new Event('warned'));
  if (status >= 200 && status < 300) return {body, etag: header('ETag'), total: Number(header('X-Total-Count') ?? body?.length ?? 0)};
  const event = status >= 500 ? 'fault' : {401: 'expired', 403: 'forbidden'}[status];
  if (event && !quiet) events.dispatchEvent(new Event(event));
  // The page asks for the login by itself; then what was refused can be done again.
  throw new Problem(status, status === 401 && !quiet ? {detail: t('error.session')} : body, Number(header('Retry-After')) || 0);
}

// sent is fetch, but what reads is sent again, once: Chromium fails what it begins on a connection
// that just got GOAWAY.
export const sent = (url, how) => fetch(url, how).catch((err) => (how.method === 'GET' ? fetch(url, how) : Promise.reject(err)));

// call sends a request and returns {body, etag, total}. total is what a list
// holds in all.
export async function call(method, path, {body, etag, quiet, signal} = {}) {
  const headers = {Accept: 'application/json'};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (etag) headers['If-Match'] = etag;
  let answer;
  let text;
  try {
    answer = await sent(prefix + path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', redirect: 'error',
    });
    text = await answer.text();
  } catch (err) {
    throw new Unreachable(err.message);
  }
  return answered(answer.status, text, (name) => answer.headers.get(name), quiet);
}

export const get = async (path) => (await call('GET', path)).body;

// send uploads a file and returns {body, etag}. progress(sent, total) is called
// as it goes; an aborted signal ends it with an Unreachable.
export function send(method, path, file, {etag, progress, signal, type} = {}) {
  return new Promise((done, failed) => {
    const x = new XMLHttpRequest();
    x.open(method, prefix + path);
    x.setRequestHeader('Accept', 'application/json');
    x.setRequestHeader('Content-Type', type ?? 'application/octet-stream');
    if (etag) x.setRequestHeader('If-Match', etag);
    x.upload.onprogress = (e) => progress?.(e.loaded, e.lengthComputable ? e.total : file.size);
    x.onload = () => {
      try {
        done(answered(x.status, x.responseText, (name) => x.getResponseHeader(name)));
      } catch (err) {
        failed(err);
      }
    };
    x.onerror = x.onabort = () => failed(new Unreachable(signal?.aborted ? 'aborted' : 'no answer'));
    signal?.addEventListener('abort', () => x.abort());
    x.send(file);
  });
}

// told returns what to tell people about an error. One that is a fault of this
// page is thrown on in its own time, so that the browser reports it.
export function told(err) {
  if (err instanceof Problem) return err.message;
  if (!(err instanceof Unreachable)) reportError(err);
  return t('error.unreachable');
}
