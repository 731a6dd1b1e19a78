import { afterEach, describe, expect, it } from 'vitest';
import { installWebRtc } from '../../signaling/node/webrtc.ts';
import { type DataMessage, encodeMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { slices } from '../../signaling/protocol/exchange/frames.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import { answerProbes, measureLink } from '../../web/session/links/link-probe.ts';
import type { MessageLink } from '../../web/session/links/message-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { termsOf } from './link-scene.ts';

/** Two real RTCPeerConnections in this process, with the negotiated channel that sessions use. */
const open: RTCPeerConnection[] = [];
afterEach(() => {
  for (const pc of open.splice(0)) pc.close();
});

async function channels(): Promise<[RTCDataChannel, RTCDataChannel]> {
  await installWebRtc();
  const [a, b] = [new RTCPeerConnection({ iceServers: [] }), new RTCPeerConnection({ iceServers: [] })];
  open.push(a, b);
  a.addEventListener('icecandidate', ({ candidate }) => void (candidate && b.addIceCandidate(candidate)));
  b.addEventListener('icecandidate', ({ candidate }) => void (candidate && a.addIceCandidate(candidate)));
  const made = [a, b].map((pc) => pc.createDataChannel('tabloom', { negotiated: true, id: 100 }));
  const opened = made.map(
    (channel) => new Promise((resolve) => channel.addEventListener('open', resolve, { once: true })),
  );
  await a.setLocalDescription(await a.createOffer());
  if (a.localDescription) await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription(await b.createAnswer());
  if (b.localDescription) await a.setRemoteDescription(b.localDescription);
  await Promise.all(opened);
  return [made[0], made[1]];
}

const sizes = tensorSizes(SETTINGS);
/** Of a session with large messages. */
const roomy = { ...sizes, toHostBytes: 16 * 2 ** 20, toDeviceBytes: 16 * 2 ** 20 };
const TAG = { term: 1, round: 1, order: 1, epoch: 1 };
async function links(): Promise<[ChannelLink, ChannelLink]> {
  const [a, b] = await channels();
  const both = [new ChannelLink(a, roomy, termsOf('device')), new ChannelLink(b, roomy, termsOf('host'))] as const;
  await Promise.all(both.map(({ opened }) => opened));
  return [...both];
}

const nextMessage = (link: MessageLink): Promise<DataMessage> =>
  new Promise((resolve) => {
    const off = link.onMessage((message) => {
      off();
      resolve(message);
    });
  });
const closing = (link: MessageLink): Promise<string> => new Promise((resolve) => link.onClose(resolve));

const gradient = (block: number, value: number): DataMessage<'gradient'> => ({
  header: { type: 'gradient', tag: TAG, block },
  tensors: [new Float32Array(sizes.blockLength(block) ?? 0).fill(value)],
});
const probe = (floats: number): DataMessage<'probe'> => ({
  header: { type: 'probe', probe: 1 },
  tensors: [new Float32Array(floats).fill(1.5)],
});

describe('a link over WebRTC', () => {
  it('carries messages both ways, large ones whole', async () => {
    const [a, b] = await links();
    const there = nextMessage(b);
    await a.send(gradient(5, 0.25));
    expect(await there).toEqual(gradient(5, 0.25));
    const back = nextMessage(a);
    // 8 MiB: far more than the channel buffers, so this passes only with back-pressure.
    await b.send(probe(2 ** 21));
    const large = await back;
    expect(large.tensors[0]).toHaveLength(2 ** 21);
    expect(large.tensors[0].every((x) => x === 1.5)).toBe(true);
  });

  it('lets short messages overtake bulk ones', async () => {
    const [a, b] = await links();
    const types: string[] = [];
    const both = new Promise<void>((resolve) =>
      b.onMessage(({ header }) => {
        if (types.push(header.type) === 2) resolve();
      }),
    );
    void a.send(probe(2 ** 21));
    void a.send({ header: { type: 'done', tag: TAG, lossSum: 1, computeSeconds: 1 }, tensors: [] });
    await both;
    expect(types).toEqual(['done', 'probe']);
  });

  it('paces bulk messages to the given rate', async () => {
    const [a, b] = await links();
    const bits = 2 ** 18 * 8;
    const arrived = nextMessage(b);
    const startMs = performance.now();
    await a.send(probe(2 ** 16), { bitsPerSecond: 4 * bits });
    await arrived;
    const elapsedSeconds = (performance.now() - startMs) / 1000;
    // A quarter of a second, less the burst that may run ahead (a quarter of the message).
    expect(elapsedSeconds).toBeGreaterThan(0.17);
    expect(elapsedSeconds).toBeLessThan(5);
  });

  it('measures its rate', async () => {
    const [a, b] = await links();
    answerProbes(b);
    const bitsPerSecond = await measureLink(a);
    expect(bitsPerSecond).toBeGreaterThan(1e6);
    expect(bitsPerSecond).toBeLessThan(1e11);
  });

  it.each<[string, DataMessage, string]>([
    ['a gradient of a wrong size', { ...gradient(5, 1), tensors: [new Float32Array(3)] }, 'values where'],
  ])('ends, with why, when the peer sends %s', async (_, message, why) => {
    const [a, b] = await links();
    const [sent, received] = [closing(a), closing(b)];
    await a.send(message);
    expect(await received).toContain(why);
    expect(await sent).toContain('closed');
  });

  it('ends when a message arrives damaged, or as text', async () => {
    const [raw, channel] = await channels();
    const link = new ChannelLink(channel, roomy, termsOf('host'));
    const [slice] = slices(encodeMessage(probe(10)), 1);
    slice[slice.length - 1] ^= 1;
    const ended = closing(link);
    raw.send(slice);
    expect(await ended).toContain('checksum');
    const [raw2, channel2] = await channels();
    const ended2 = closing(new ChannelLink(channel2, roomy, termsOf('host')));
    raw2.send('{"type":"order"}');
    expect(await ended2).toContain('text');
  });

  it('ends on both sides when one closes it', async () => {
    const [a, b] = await links();
    const other = closing(b);
    a.close();
    expect(await other).toContain('closed');
  });
});
