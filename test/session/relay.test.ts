import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { Relay } from '../../web/session/rounds/split/relay.ts';

const [LOW, HIGH, OTHER] = ['lowlowlow', 'highhighhigh', 'otherother'] as const;
/** A message takes its 40 bytes of values, and 512. */
const HELD = 40 + 512;

const hidden = (from: string, to: string, microBatch: number): DataMessage<'hidden'> => ({
  header: {
    ...{ type: 'hidden', from, to, of: { term: 1, round: 1, pipeline: 0, epoch: 1 } },
    ...{ stage: 1, microBatch, direction: 'up', codec: 'f32', scale: 1 },
  },
  tensors: [new Float32Array(10)],
});

/** A link that takes a message when it is told to. */
class SlowLink implements MessageLink {
  readonly taken: number[] = [];
  readonly #going: { readonly microBatch: number; readonly settle: () => void }[] = [];
  readonly onMessage = () => () => undefined;
  readonly onClose = () => () => undefined;
  readonly close = () => undefined;
  readonly doubt = () => undefined;
  readonly ask = () => undefined;

  get going(): number {
    return this.#going.length;
  }

  send({ header }: DataMessage): Promise<void> {
    if (header.type !== 'hidden') return Promise.resolve();
    const { microBatch } = header;
    return new Promise((settle) => this.#going.push({ microBatch, settle }));
  }

  /** Takes the first of those that are on their way. */
  async take(): Promise<void> {
    const first = this.#going.shift();
    if (first === undefined) return;
    this.taken.push(first.microBatch);
    first.settle();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

class Scene {
  readonly links = new DeviceLinks();
  readonly slow = new SlowLink();
  readonly lost: string[] = [];
  readonly relay: Relay;

  constructor(maxBytes: number) {
    this.links.onEvent((event) => void (event.type === 'detached' && this.lost.push(event.device)));
    this.relay = new Relay({ deviceLinks: this.links, members: () => new Set([LOW, HIGH, OTHER]), maxBytes });
    this.links.attach(HIGH, this.slow, false);
  }

  device(id: string): MessageLink {
    const [hostEnd, deviceEnd] = localLinkPair();
    this.links.attach(id, hostEnd, false);
    return deviceEnd;
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('what a slow receiver is handed on', () => {
  it('waits for it, eight at a time and in order, although more of them wait than a link may have', async () => {
    const scene = new Scene(1000 * HELD);
    const low = scene.device(LOW);
    for (const j of numbers(0, 1000)) await low.send(hidden(LOW, HIGH, j));
    expect([scene.slow.going, scene.slow.taken]).toEqual([8, []]);
    for (const left of numbers(0, 1000).reverse()) {
      await scene.slow.take();
      expect(scene.slow.going).toBe(Math.min(8, left));
    }
    expect(scene.slow.taken).toEqual(numbers(0, 1000));
    expect(scene.lost).toEqual([]);
    expect(scene.relay.bytes.get(`${LOW} ${HIGH}`)).toBe(40_000);
  });

  it('is bounded in bytes for each sender, what messages take beside their values with it', async () => {
    const scene = new Scene(20 * HELD);
    const [low, other] = [scene.device(LOW), scene.device(OTHER)];
    for (const j of numbers(0, 20)) await low.send(hidden(LOW, HIGH, j));
    for (const j of numbers(100, 105)) await other.send(hidden(OTHER, HIGH, j));
    // What was taken makes room for as much.
    await scene.slow.take();
    await low.send(hidden(LOW, HIGH, 20));
    expect(scene.lost).toEqual([]);
    await low.send(hidden(LOW, HIGH, 21));
    await new Promise((resolve) => setImmediate(resolve));
    expect(scene.lost).toEqual([LOW]);
    // Of the lost one only what was on its way already; of the other all.
    for (const _ of numbers(0, 30)) await scene.slow.take();
    expect(scene.slow.taken).toEqual([...numbers(0, 9), ...numbers(100, 105)]);
  });

  it('counts anew for a sender that comes back, but for what is still on its way', async () => {
    const scene = new Scene(20 * HELD);
    const low = scene.device(LOW);
    for (const j of numbers(0, 20)) await low.send(hidden(LOW, HIGH, j));
    scene.links.detach(LOW);
    await new Promise((resolve) => setImmediate(resolve));
    const again = scene.device(LOW);
    for (const j of numbers(50, 62)) await again.send(hidden(LOW, HIGH, j));
    expect(scene.lost).toEqual([LOW]);
    for (const _ of numbers(0, 30)) await scene.slow.take();
    expect(scene.slow.taken).toEqual([...numbers(0, 8), ...numbers(50, 62)]);
    // All is gone, so that all of the bound is there again.
    for (const j of numbers(70, 90)) await again.send(hidden(LOW, HIGH, j));
    expect(scene.lost).toEqual([LOW]);
    await again.send(hidden(LOW, HIGH, 90));
    await new Promise((resolve) => setImmediate(resolve));
    expect(scene.lost).toEqual([LOW, LOW]);
  });

  it('is nothing more once the session is over', async () => {
    const scene = new Scene(100 * HELD);
    const low = scene.device(LOW);
    for (const j of numbers(0, 20)) await low.send(hidden(LOW, HIGH, j));
    scene.relay.close();
    await low.send(hidden(LOW, HIGH, 20));
    for (const _ of numbers(0, 30)) await scene.slow.take();
    expect(scene.slow.taken).toEqual(numbers(0, 8));
  });
});
