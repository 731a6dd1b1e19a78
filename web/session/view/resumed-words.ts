/** Said of a checkpoint that was given to others, or lost its key; a page shows it as long as the session lasts. */
export const WITHOUT_KEY =
  'This checkpoint came without its key, so training goes on in a new session: invite the devices with its new link.';
