// Routes > Holiday calendars.

import {styles} from '../dom.js';
import {t} from '../text.js';
import {resourceScreen} from '../resource.js';
import {days, calendarFile} from '../days.js';

await styles('calendars');

export default resourceScreen({
  resource: '/calendars', adding: 'calendars.new', empty: 'calendars.empty', wide: true,
  called: (c) => c.name, deleteText: () => t('calendars.deleteText'),
  list: {of: 'Calendar', columns: ['name', 'days'], names: (c) => [c.name]},
  form: {sections: {'': ['name', 'days']}, options: (c, isNew) => ({days: {control: days, help: t(isNew ? 'calendars.helpNew' : 'calendars.help')}})},
  extra: (state, screen) => calendarFile(state, async () => {
    await screen.load();
    await screen.refresh(true);
  }),
});
