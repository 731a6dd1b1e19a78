/**
 * A headless device or host in a process of its own, as `tabloom` runs them, in a world that the parent process may change under it:
 * `member.ts REQUEST`, a JSON object. What it says and is told goes over the pipe to its parent (`messages.ts`).
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { headlessEnvironment, keyFileOf } from '../../signaling/node/node-environment.ts';
import type { SessionEnvironment } from '../../web/session/world/environment.ts';
import { beMember } from './be-member.ts';
import { MemberRequestSchema } from './member-request.ts';
import { OrderSchema } from './messages.ts';

const request = v.parse(MemberRequestSchema, JSON.parse(process.argv[2] ?? ''));
const { origin, checkpointFile, memoryBytes } = request;
/** A second apart; the server is away for a few. */
const TRIES = 20;
/** Its person tries again while there is no server. */
async function environment(tries: number): Promise<SessionEnvironment> {
  try {
    return await headlessEnvironment(origin, { memoryLimitBytes: memoryBytes, checkpointFile });
  } catch (error) {
    if (tries === 0) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return environment(tries - 1);
  }
}

const obey = await beMember(request, {
  real: await environment(TRIES),
  say: (said) => void process.send?.(said),
  kept: async () => ({ bytes: await readFile(checkpointFile), key: await readFile(keyFileOf(checkpointFile), 'utf8') }),
  end: () => process.exit(0),
});
process.on('message', (message) => obey(v.parse(OrderSchema, message)));
// Started by a process that is gone now.
process.once('disconnect', () => process.exit(0));
