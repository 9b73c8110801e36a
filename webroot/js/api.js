// Calls of the HTTP API. The session is a cookie that scripts cannot read.

import {t} from './text.js';

const prefix = '/api/v1';

// Problem is an answer that says why not (RFC 9457).
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body?.detail || body?.title || `HTTP ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
    this.details = body?.errors ?? [];
  }

  // fields maps field names to messages; '' holds what belongs to none.
  fields() {
    const map = {};
    for (const d of this.details) {
      const name = (d.location ?? '').replace(/^body\.?/, '').replace(/\[\d+\].*$/, '');
      map[name] = map[name] ? `${map[name]}; ${d.message}` : d.message;
    }
    return map;
  }
}

// Unreachable says that no answer came at all.
export class Unreachable extends Error {}

// events tells "expired" when the server no longer knows the session,
// "forbidden" when the user may not do something (rights may have changed, or
// the PIN must be), and "fault" when the device could not.
export const events = new EventTarget();

// call sends a request and returns {body, etag}.
export async function call(method, path, {body, etag, quiet} = {}) {
  const headers = {Accept: 'application/json'};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (etag) headers['If-Match'] = etag;
  let answer;
  try {
    answer = await fetch(prefix + path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', redirect: 'error',
    });
  } catch (err) {
    throw new Unreachable(err.message);
  }
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(answer.status, {detail: answer.statusText});
  }
  if (answer.ok) return {body: data, etag: answer.headers.get('ETag')};
  const event = answer.status >= 500 ? 'fault' : {401: 'expired', 403: 'forbidden'}[answer.status];
  if (event && !quiet) events.dispatchEvent(new Event(event));
  throw new Problem(answer.status, data, Number(answer.headers.get('Retry-After')) || 0);
}

export const get = async (path) => (await call('GET', path)).body;

// told returns what to tell people about an error. One that is a fault of this
// page is thrown on in its own time, so that the browser reports it.
export function told(err) {
  if (err instanceof Problem) return err.message;
  if (!(err instanceof Unreachable)) reportError(err);
  return t('error.unreachable');
}
