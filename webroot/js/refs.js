// What a parameter may refer to.

import {call} from './api.js';
import {live} from './live.js';
import {apart, compare, preset} from './text.js';

// Where the entries of a list of the configuration are, and what people call one.
const sources = {
  users: ['/user-names', (u) => u.displayName === u.user ? u.user : `${apart(u.displayName)} (${u.user})`, (u) => u.extension],
  pickupGroups: ['/pickup-groups', (g) => g.name, (g) => g.number],
  huntGroups: ['/hunt-groups', (g) => g.title, (g) => g.extension],
  permissionGroups: ['/permission-groups', (g) => preset(g.name)],
  guiGroups: ['/gui-groups', (g) => preset(g.title)],
  provisioningGroups: ['/provisioning-groups', (g) => g.name],
  gateways: ['/gateways', (g) => g.name, (g) => g.registrar],
  gatewayGroups: ['/gateway-groups', (g) => g.title],
  transports: ['/transports', (x) => x.name, (x) => `${x.type.toUpperCase()} ${x.bindPort}`],
  calendars: ['/calendars', (c) => c.name],
  certificates: ['/certificates', (c) => c.description],
};

const kept = new Map(); // source => {revision, promise}

// choices returns [{id, label, detail, entry}] of one list of the
// configuration, or of several (users|huntGroups), as of the current revision. Who may not see a
// list gets none.
export function choices(ref) {
  if (ref.includes('|')) return Promise.all(ref.split('|').map(choices)).then((lists) => lists.flat());
  const [path, label, detail] = sources[ref] ?? [];
  if (!path) return Promise.resolve([]);
  const old = kept.get(ref);
  if (old && old.revision === live.revision) return old.promise;
  const promise = call('GET', path, {quiet: true}).then(
    ({body}) => body.map((e) => ({id: e.id, label: label(e), detail: String(detail?.(e) ?? ''), entry: e})).sort((a, b) => compare(a.label, b.label)),
    () => {
      kept.delete(ref);
      return [];
    });
  kept.set(ref, {revision: live.revision, promise});
  return promise;
}

// Whoever logs in next may see other lists.
live.addEventListener('state', () => live.state === 'off' && kept.clear());
