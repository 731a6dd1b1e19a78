import { LOOKS } from './before-sessions.ts';
import { VIEWS } from './gallery-views.ts';
import { KEPT_STATES } from './kept-views.ts';
import { SHOW_VIEWS } from './show-views.ts';
import { START_FORMS } from './start-forms.ts';

/** Every address of the gallery: a state, with a fragment where the same state is shown further along. */
export const STATES: readonly string[] = [
  'start',
  'start#room=abc23o',
  ...Object.keys(LOOKS),
  'start-kept',
  'start-plain',
  'start-elsewhere',
  ...Object.keys(KEPT_STATES),
  ...Object.keys(SHOW_VIEWS),
  ...Object.keys(START_FORMS),
  ...Object.keys(VIEWS),
  'lobby-waiting#wall',
  'training-host#try',
  'finished-mnli#try',
  'finished-stsb#try',
];
