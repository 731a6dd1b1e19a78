/** What others can read of a session, in plain words: said before somebody starts or joins, and true under every policy. */

/** To whoever starts one. */
export function readingAsHost(ownTable: boolean): readonly string[] {
  return [
    `Every device that trains reads the rows that it trains on or scores, labels included. It gets them as token ids, which anybody can turn back into text, and one device may get every row${ownTable ? ' of your table' : ''}.`,
    'Everyone in the session sees the devices’ names and what they measured of themselves, the plan, the losses and scores, and what the task and its classes are called.',
    'The server sees those names, measurements, plans, losses and scores. Rows, weights and gradients do not pass through it.',
    ...(ownTable
      ? ['Because the table is yours, you let each device in by hand, until you choose otherwise in the session.']
      : []),
  ];
}

/** To whoever joins one; `ownTable` is the host's. */
export function readingAsDevice(ownTable: boolean): readonly string[] {
  return [
    `Your device gets rows to train on, labels included, as token ids: they are text that it could read.${ownTable ? ' They are the host’s own; treat them so.' : ''}`,
    'Everyone in the session sees your device’s name, and what it measured of itself: speed, memory, connection.',
    'The host gets the gradients that your device computes. Nothing else of your device is read, and nothing is installed.',
    'The server sees names, measurements, plans, losses and scores. Rows, weights and gradients do not pass through it.',
  ];
}
