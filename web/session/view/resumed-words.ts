import * as say from '../../words/session/view.ts';
/** Said of a checkpoint that was given to others, or lost its key; a page shows it as long as the session lasts. */
export const WITHOUT_KEY = say.thisCheckpointCameWithout;
