import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataHeader } from '../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../signaling/protocol/exchange/frames.ts';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../signaling/protocol/room-view.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { dueOf } from '../../web/session/rounds/round.ts';
import { type RoundResult, runRound, samplesOf } from '../../web/session/rounds/run-round.ts';
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

interface Ordered {
  readonly device: string;
  readonly header: Extract<DataHeader, { type: 'order' }>;
  readonly tensors: readonly FrameTensor[];
  readonly link: MessageLink;
}

/** A round whose devices answer when the test lets them; everything from the links down is real. */
class Scene {
  readonly deviceLinks = new DeviceLinks();
  readonly trainersChanged = new Emitter<void>();
  readonly orders: Ordered[] = [];
  readonly said: string[] = [];
  readonly #ordered = new Emitter<void>();
  trainers: readonly DeviceView[] = [];
  /** Whether the room has heard that its devices can take work. */
  ready = true;

  attach(id: string): void {
    const [hostEnd, link] = localLinkPair();
    link.onMessage(({ header, tensors }) => {
      if (header.type !== 'order') return;
      this.orders.push({ device: id, header, tensors, link });
      this.#ordered.emit();
    });
    this.deviceLinks.attach(id, hostEnd);
    if (!this.trainers.some((trainer) => trainer.id === id)) this.trainers = [...this.trainers, device(id)];
    this.trainersChanged.emit();
  }

  readonly abort = new AbortController();
  /** Rounds that still listen. */
  listeners = 0;

  run(work: Parameters<typeof plan>[0], change: Partial<RoomPlan> = {}, startMs?: number): Promise<RoundResult> {
    const tokens = 4;
    return runRound({
      term: TERM,
      course: 0,
      round: ROUND,
      plan: { ...plan(work), ...change },
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
      believed: ({ id }, stated) => ({ device: id, profile: stated }),
      onTrainers: (listener) => {
        this.listeners++;
        const off = this.trainersChanged.on(listener);
        return () => {
          this.listeners--;
          off();
        };
      },
      onActivity: () => undefined,
      onNews: (_, sentence) => this.said.push(sentence),
      nameOf: (id) => id,
      ...(startMs !== undefined && { startMs }),
      signal: this.abort.signal,
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

describe('what a device is sent', () => {
  it('is its own samples, with their places in the round: they key the dropout', () => {
    const batch = {
      ids: Int32Array.from({ length: 12 }, (_, i) => i),
      lengths: Int32Array.of(1, 2, 1, 2, 1, 2),
      labels: Float32Array.of(0, 1, 2, 3, 4, 5),
      positions: Int32Array.of(0, 1, 2, 3, 4, 5),
      tokens: 2,
    };
    expect(samplesOf(batch, 3, 2)).toEqual({
      ids: Int32Array.of(6, 7, 8, 9),
      lengths: Int32Array.of(2, 1),
      labels: Float32Array.of(3, 4),
      positions: Int32Array.of(3, 4),
      tokens: 2,
    });
    // Two of several labels a sample.
    const several = { ...batch, labels: Float32Array.from({ length: 12 }, (_, i) => i) };
    expect(samplesOf(several, 1, 2).labels).toEqual(Float32Array.of(2, 3, 4, 5));
  });

  it('says whose it is, what to do, and at which share of its link', async () => {
    const scene = new Scene();
    scene.attach('a');
    const round = scene.run(
      { a: { layers: [5], head: true } },
      {
        assignments: [
          {
            ...plan({ a: { layers: [4, 5], head: true } }).assignments[0],
            samples: { start: 3, count: 2 },
            microBatch: 2,
            recompute: true,
            share: 0.25,
          },
        ],
      },
    );
    const { header, tensors } = await scene.order(1);
    expect(header).toEqual({
      type: 'order',
      tag: { term: TERM, round: ROUND, order: 1, epoch: 1 },
      layers: [4, 5],
      head: true,
      samples: { start: 3, count: 2 },
      microBatch: 2,
      recompute: true,
      version: 2,
      parameters: true,
      tokens: 4,
      share: 0.25,
      dropout: { probability: SETTINGS.training.dropout, seed: SETTINGS.training.seed },
    });
    expect(tensors.map(({ length }) => length)).toEqual([8, 2, 2, 2, 3]);
    expect(tensors[3]).toEqual(Int32Array.of(3, 4));
    await scene.answer(1);
    expect(coverage(await round)).toEqual(['4:3+2 by 11', '5:3+2 by 11', 'head:3+2 by 11']);
  });
});

describe('the clock of a round', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks a silent device again after 15 s, then after 30 more, then 60', async () => {
    const scene = new Scene();
    scene.attach('a');
    const round = scene.run({ a: { layers: [5], head: true } });
    const asked: number[] = [];
    for (let second = 1; second <= 110; second++) {
      const before = scene.orders.length;
      await vi.advanceTimersByTimeAsync(1000);
      if (scene.orders.length > before && second > 1) asked.push(second);
    }
    expect(asked).toEqual([15, 45, 105]);
    await scene.answer(4);
    expect(coverage(await round)).toEqual(['5:0+8 by 14', 'head:0+8 by 14']);
    expect([vi.getTimerCount(), scene.listeners]).toEqual([0, 0]);
  });

  it('measures how long gradients go on coming after a device is done, and how long its order was on its way', async () => {
    const scene = new Scene();
    scene.attach('a');
    const round = scene.run({ a: { layers: [4, 5], head: false } }, {}, performance.now() - 300);
    await vi.advanceTimersByTimeAsync(3000);
    const { header, link } = await scene.order(1);
    const { tag } = header;
    const send = (block: number): Promise<void> =>
      link.send({ header: { type: 'gradient', tag, block }, tensors: [new Float32Array(100)] });
    await send(5);
    await link.send({ header: { type: 'done', tag, lossSum: 1, computeSeconds: 2.5 }, tensors: [] });
    await vi.advanceTimersByTimeAsync(4000);
    await send(4);
    const times = { startSeconds: expect.closeTo(0.3, 2), downSeconds: expect.closeTo(0.5, 1) };
    expect((await round).devices).toEqual([
      { device: 'a', samples: 8, deepestDepth: 2, computeSeconds: 2.5, uploadSeconds: 4, uploadBits: 6400, ...times },
    ]);
  });

  it('ends with the session, with the round’s failure, and with an error at the rim', async () => {
    const scenes = [new Scene(), new Scene()];
    const rounds = scenes.map((scene) => {
      scene.attach('a');
      return scene.run({ a: { layers: [5], head: true } });
    });
    const rejected = [
      expect(rounds[0]).rejects.toThrow('The session ended during a round.'),
      expect(rounds[1]).rejects.toThrow('a failed: Out of memory.'),
    ];
    scenes[0].abort.abort();
    for (let count = 1; count <= 4; count++) {
      await vi.advanceTimersByTimeAsync(10);
      const { header, link } = await scenes[1].order(count);
      const { tag } = header;
      await link.send({ header: { type: 'failed', tag, sentence: 'Out of memory.' }, tensors: [] });
    }
    await Promise.all(rejected);
    expect(vi.getTimerCount()).toBe(0);
    // Nobody is asked for more.
    await vi.advanceTimersByTimeAsync(60_000);
    expect(scenes.map(({ orders }) => orders.length)).toEqual([1, 4]);
  });
});
