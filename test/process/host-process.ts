import type { Policy } from '../../signaling/protocol/settings.ts';
import { HeadlessRoom } from './headless-room.ts';

/**
 * A host in a process of its own, which a test may kill: `host-process.ts ORIGIN POLICY ROUNDS EVALUATE_EVERY DEVICES [CHECKPOINT] [MEMORY_BYTES]`. It says its
 * link, begins when so many devices are ready, and says each round.
 */
const [
  origin = '',
  policy = 'crunch',
  rounds = '20',
  evaluateEvery = '0',
  devices = '2',
  checkpointFile = '',
  memoryBytes = '2e9',
] = process.argv.slice(2);
const POLICIES: Readonly<Record<string, Policy>> = { crunch: 'crunch', split: 'split' };
const say = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
const room = await HeadlessRoom.open(
  origin,
  POLICIES[policy] ?? 'data-parallel',
  { rounds: Number(rounds), evaluateEvery: Number(evaluateEvery), dropout: 0.1 },
  { memoryBytes: Number(memoryBytes), ...(checkpointFile !== '' && { checkpointFile }) },
);
const { invitation } = await room.until((view) => view.invitation !== null);
say({ link: invitation?.link });
let told = 0;
room.session.subscribe(({ rounds, evaluation, ended, kept }) => {
  for (const { round, loss } of rounds.slice(told)) say({ round, loss });
  told = rounds.length;
  if (evaluation !== null) say({ evaluation });
  if (kept !== null) say({ kept: kept.round });
  if (ended !== null) say({ ended });
});
await room.ready(Number(devices));
room.session.start();
