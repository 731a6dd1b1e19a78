import { describe, expect, it } from 'vitest';
import type { DataHeader } from '../../signaling/protocol/exchange/data-messages.ts';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../signaling/protocol/room-view.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { dueOf } from '../../web/session/rounds/round.ts';
import { type RoundResult, runRound } from '../../web/session/rounds/run-round.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const TERM = 2;
const ROUND = 3;
const SAMPLES = 8;

const device = (id: string): DeviceView => ({
  id,
  name: id,
  kind: 'tab',
  status: { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: profile(),
});

const plan = (work: Record<string, { layers: number[]; head: boolean }>): RoomPlan => ({
  version: 1,
  policy: 'crunch',
  solver: '',
  solveMs: 0,
  latencySeconds: 1,
  lowerBoundSeconds: 1,
  limitedBy: '',
  explanation: '',
  assignments: Object.entries(work).map(([id, { layers, head }]) => ({
    device: id,
    layers,
    head,
    samples: { start: 0, count: SAMPLES },
    microBatch: SAMPLES,
    memoryBytes: 0,
    share: 0.5,
    uploadBits: 0,
    computeSeconds: 1,
    uploadSeconds: 0,
  })),
});

type OrderHeader = Extract<DataHeader, { type: 'order' }>;

/** A round whose devices answer when the test lets them; everything from the links down is real. */
class Scene {
  readonly deviceLinks = new DeviceLinks();
  readonly trainersChanged = new Emitter<void>();
  readonly orders: { readonly device: string; readonly header: OrderHeader; readonly link: MessageLink }[] = [];
  readonly said: string[] = [];
  readonly #ordered = new Emitter<void>();
  trainers: readonly DeviceView[] = [];
  /** Whether the room has heard that its devices can take work. */
  ready = true;

  attach(id: string): void {
    const [hostEnd, link] = localLinkPair();
    link.onMessage(({ header }) => {
      if (header.type !== 'order') return;
      this.orders.push({ device: id, header, link });
      this.#ordered.emit();
    });
    this.deviceLinks.attach(id, hostEnd);
    if (!this.trainers.some((trainer) => trainer.id === id)) this.trainers = [...this.trainers, device(id)];
    this.trainersChanged.emit();
  }

  run(work: Parameters<typeof plan>[0]): Promise<RoundResult> {
    const tokens = 4;
    return runRound({
      term: TERM,
      round: ROUND,
      plan: plan(work),
      settings: SETTINGS,
      batch: {
        ids: new Int32Array(SAMPLES * tokens),
        lengths: new Int32Array(SAMPLES).fill(tokens),
        labels: new Float32Array(SAMPLES),
        positions: Int32Array.from({ length: SAMPLES }, (_, i) => i),
        tokens,
      },
      parameters: { version: 2, values: new Float32Array(3) },
      deviceLinks: this.deviceLinks,
      trainers: () => (this.ready ? this.trainers : []),
      onTrainers: this.trainersChanged.on,
      onActivity: () => undefined,
      onNews: (_, sentence) => this.said.push(sentence),
      nameOf: (id) => id,
      signal: new AbortController().signal,
    });
  }

  /** The order of that number, as the device got it. */
  order(count: number): Promise<(typeof this.orders)[number]> {
    return new Promise((resolve) => {
      const look = (): void => {
        const order = this.orders[count - 1];
        if (order === undefined) return;
        off();
        resolve(order);
      };
      const off = this.#ordered.on(look);
      look();
    });
  }

  async answer(count: number): Promise<void> {
    const { header, link } = await this.order(count);
    const { tag } = header;
    for (const due of dueOf(header))
      await link.send(
        due === 'done'
          ? { header: { type: 'done', tag, lossSum: 5, computeSeconds: 1 }, tensors: [] }
          : {
              header: { type: 'gradient', tag, block: due },
              tensors: [new Float32Array([10 * tag.order + tag.epoch])],
            },
      );
  }
}

/** Each block with its samples, and the order (tens) and the epoch (ones) that brought it. */
const coverage = ({ parts }: RoundResult): string[] =>
  parts.map(({ block, samples, gradient }) => `${block}:${samples.start}+${samples.count} by ${gradient[0]}`).sort();

describe('a round over links that come and go', () => {
  it('gives the orders of a lost link to another device', async () => {
    const scene = new Scene();
    scene.attach('a');
    scene.attach('b');
    const round = scene.run({ a: { layers: [4, 5], head: true }, b: { layers: [2, 3], head: false } });
    await scene.order(2);
    scene.deviceLinks.detach('b');
    const third = await scene.order(3);
    expect([third.device, third.header.layers]).toEqual(['a', [2, 3]]);
    await scene.answer(1);
    await scene.answer(3);
    const result = await round;
    expect(coverage(result)).toEqual(['2:0+8 by 22', '3:0+8 by 22', '4:0+8 by 11', '5:0+8 by 11', 'head:0+8 by 11']);
    expect([result.lossSum, result.reassigned]).toEqual([5, 2]);
    expect(scene.said).toEqual(['b lost its link; a takes over its part of round 3.']);
  });

  it('asks a device again that came back by a new link, when there is nobody else', async () => {
    const scene = new Scene();
    scene.attach('a');
    const round = scene.run({ a: { layers: [5], head: true } });
    await scene.order(1);
    // The new link stands before the old one was known to be down.
    scene.attach('a');
    const again = await scene.order(2);
    expect(again.header).toMatchObject({
      tag: { term: TERM, round: ROUND, order: 1, epoch: 2 },
      layers: [5],
      head: true,
      parameters: true,
    });
    await scene.answer(2);
    expect(coverage(await round)).toEqual(['5:0+8 by 12', 'head:0+8 by 12']);
    expect(scene.said).toEqual(['a lost its link; it does its part of round 3 again.']);
  });

  it('waits while there is nobody, and goes on when the room finds a device ready', async () => {
    const scene = new Scene();
    scene.attach('a');
    const round = scene.run({ a: { layers: [5], head: true } });
    await scene.order(1);
    scene.ready = false;
    scene.attach('a');
    expect(scene.orders).toHaveLength(1);
    scene.ready = true;
    scene.trainersChanged.emit();
    const again = await scene.order(2);
    expect(again.device).toBe('a');
    await scene.answer(2);
    expect(coverage(await round)).toEqual(['5:0+8 by 12', 'head:0+8 by 12']);
  });

  it('counts what a lost device had already sent', async () => {
    const scene = new Scene();
    scene.attach('a');
    scene.attach('b');
    const round = scene.run({ a: { layers: [], head: true }, b: { layers: [4, 5], head: false } });
    const { header, link } = await scene.order(2);
    await link.send({
      header: { type: 'gradient', tag: header.tag, block: 5 },
      tensors: [new Float32Array([10 * header.tag.order + header.tag.epoch])],
    });
    scene.deviceLinks.detach('b');
    const third = await scene.order(3);
    expect(third.header.layers).toEqual([4]);
    await scene.answer(1);
    await scene.answer(3);
    expect(coverage(await round)).toEqual(['4:0+8 by 22', '5:0+8 by 21', 'head:0+8 by 11']);
  });
});
