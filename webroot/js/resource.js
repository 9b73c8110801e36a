// A screen from data: the list of a resource, and a side sheet for its entries.

import {entriesScreen} from './entries.js';
import {List} from './list.js';

// resourceScreen makes a screen whose entries stand in a List. spec is as in entriesScreen.
export const resourceScreen = (spec) => entriesScreen({...spec, list: {kind: List, ...spec.list}});
