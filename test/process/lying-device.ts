/**
 * A device whose worker was changed: it does what `tabloom join` does, but for what it says of its samples.
 *
 *     tsx test/process/lying-device.ts LINK NAME LIE FROM
 *
 * It lies from round FROM on, in its own parts and in those that it computes again for others.
 */
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { readInvitation } from '../../web/session/links/link-address.ts';
import type { LieName } from './lies.ts';
import { lyingWorker } from './lying-worker.ts';

const [link = '', name = 'liar', lie = 'scaled', from = '1'] = process.argv.slice(2);
const lieIn = (round: number): LieName | null => (round >= Number(from) ? (lie as LieName) : null);

const invitation = readInvitation(link);
if (!invitation.ok) throw new Error(invitation.sentence);
const environment = await headlessEnvironment(new URL(link).origin, { memoryLimitBytes: 2e9, allowPrivate: true });
const { startDeviceWorker } = environment;
const session = new JoinSession(
  { ...environment, startDeviceWorker: () => lyingWorker(startDeviceWorker(), lieIn) },
  invitation,
  { name, watch: false, slowdown: 1 },
);
session.subscribe(({ ended }) => {
  if (ended !== null) process.exit(0);
});
process.once('disconnect', () => session.leave());
