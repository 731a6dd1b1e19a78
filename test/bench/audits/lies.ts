/**
 * Every lie of `test/process/lies.ts` in real processes: a host, an honest device and one that lies. Prints what the log says, which rounds
 * were done again, and how far the final parameters are from an honest run's, beside how far two honest runs with other devices are apart.
 *
 *     npx tsx test/bench/audits/lies.ts [--rounds 12] [--from 1] [--audits 0.08] [--policy data-parallel] [--only 'false loss,zeroed']
 */
import { parseArgs } from 'node:util';
import { POLICIES } from '../../../signaling/protocol/settings.ts';
import { readAudits } from '../../../signaling/protocol/words/audits.ts';
import { startTestServer } from '../../process/headless-room.ts';
import { LIES } from '../../process/lies.ts';
import { apart, trainWithLiars } from '../../process/lying-room.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    from: { type: 'string', default: '1' },
    audits: { type: 'string', default: '0.08' },
    policy: { type: 'string', default: 'data-parallel' },
    only: { type: 'string', default: LIES.join(',') },
  },
});
const rounds = Number(options.rounds);
const from = Number(options.from);
const audits = readAudits(options.audits) ?? 0.08;
const policy = POLICIES.find((one) => one === options.policy) ?? 'data-parallel';
const asked = options.only.split(',');

const server = await startTestServer();
const origin = `http://127.0.0.1:${server.port}`;
const room = { policy, rounds, audits };
const startMs = performance.now();
const say = (text: string): void => console.log(`${((performance.now() - startMs) / 1000).toFixed(0)} s  ${text}`);

const alone = await trainWithLiars(origin, { ...room, honest: [] });
const honest = await trainWithLiars(origin, { ...room, honest: ['b', 'c'] });
say(
  `honest rooms of one and of three: parameters ${apart(honest.parameters, alone.parameters).toExponential(1)} apart`,
);
for (const sentence of honest.said) say(`    ${sentence}`);
for (const lie of LIES.filter((one) => asked.includes(one))) {
  const lied = await trainWithLiars(origin, { ...room, honest: ['b'], liars: [{ name: 'liar', lie, from }] });
  say(`${lie}: parameters ${apart(lied.parameters, alone.parameters).toExponential(1)} apart`);
  for (const sentence of lied.said) say(`    ${sentence}`);
}
await server.close();
process.exit(0);
