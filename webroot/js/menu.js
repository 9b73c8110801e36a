// The menu tree: only screens that work, in the groups of the manual.

import users from './screens/users.js';
import settings from './screens/settings.js';
import history from './screens/history.js';
import audit from './screens/audit.js';
import status from './screens/status.js';
import profile from './screens/profile.js';

const admin = [
  {title: 'menu.users', icon: 'users', screens: [users]},
  {title: 'menu.system', icon: 'system', screens: [settings, history, audit]},
  {title: 'menu.status', icon: 'status', screens: [status]},
];

const user = [{title: 'menu.phone', icon: 'phone', screens: [profile]}];

// menu returns the groups that the user may see.
export const menu = (session) => (session.admin ? admin : user);

// screens returns the screens that the user may see, the first being home.
export const screens = (session) => [...new Set([...menu(session).flatMap((g) => g.screens), profile])];
