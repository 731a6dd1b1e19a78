import { createInterface } from 'node:readline';
import type { EntranceControls, HostSession, SessionView } from '../../../web/session/view/view.ts';
import type { Door, Waiting } from '../../protocol/door.ts';

export interface DemoDoor {
  /** Null leaves what a session has that is gone on with. */
  readonly door: Door | null;
  readonly cap: number | null;
  /** Whoever waits comes in without a question. */
  readonly admitAll: boolean;
}

const described = ({ name, kind, watch, withPass, likeRemoved }: Waiting): string =>
  [
    `"${name}"`,
    kind === 'tab' ? 'a browser' : 'a headless device',
    ...(watch ? ['to watch'] : []),
    withPass ? 'has the link' : 'has the code alone',
    ...(likeRemoved ? ['from where you removed somebody'] : []),
  ].join(', ');

/**
 * Asks on the terminal about those who wait at the session's door, one after the other; returns what ends it. Where nobody can answer,
 * because this is no terminal, it only says that they wait.
 */
export function keepDoor(
  session: Pick<HostSession, 'view' | 'subscribe'> & {
    readonly entrance: Pick<EntranceControls, 'admit' | 'refuse' | 'remove'>;
  },
  admitAll: boolean,
  say: (line: string) => void,
  input: NodeJS.ReadableStream | null = process.stdin.isTTY === true ? process.stdin : null,
): () => void {
  let asked: string | null = null;
  let before: readonly Waiting[] = [];
  const look = ({ waiting, ended }: SessionView): void => {
    if (ended !== null) return;
    // Views are many; a device that waits is let in once.
    const known = new Set(before.map(({ id }) => id));
    before = waiting;
    if (admitAll) for (const { id } of waiting) if (!known.has(id)) session.entrance.admit(id);
    if (admitAll || waiting.some(({ id }) => id === asked)) return;
    const next = waiting[0];
    asked = next?.id ?? null;
    if (next !== undefined)
      say(`  At the door: ${described(next)}. y lets it in, n does not now, r keeps it out; then Enter.`);
  };
  const off = session.subscribe(look);
  const lines = !admitAll && input !== null ? createInterface({ input }) : null;
  lines?.on('line', (line) => {
    const answer = line.trim().toLowerCase();
    const { waiting } = session.view;
    if (asked === null || !waiting.some(({ id }) => id === asked)) return;
    if (answer === 'y' || answer === 'yes') session.entrance.admit(asked);
    else if (answer === 'n' || answer === 'no') session.entrance.refuse(asked);
    else if (answer === 'r') session.entrance.remove(asked);
    else say('  y, n or r.');
  });
  return () => {
    off();
    lines?.close();
  };
}
