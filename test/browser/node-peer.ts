import { installWebRtc } from '../../signaling/node/webrtc.ts';
import { type ExchangeRequest, exchange } from './peer-exchange.ts';

/** One end of a trial connection in a Node process of its own: the request is the argument, the result goes to stdout as JSON. */
const request: ExchangeRequest = JSON.parse(process.argv[2] ?? '');
const result = await exchange(await installWebRtc(), request);
process.stdout.write(`${JSON.stringify(result)}\n`);
// The other end may still be reading. Whoever started us closes our stdin when both have everything.
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('end', resolve));
(globalThis as unknown as { trialPeer: { destroy(): void } }).trialPeer.destroy();
