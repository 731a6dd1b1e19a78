import { describe, expect, it, vi } from 'vitest';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import { localLinkPair } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { PairBytes } from '../../web/session/rounds/split/pair-bytes.ts';
import { Relay } from '../../web/session/rounds/split/relay.ts';
import { runPipeline } from '../../web/session/rounds/split/run-pipeline.ts';
import { runSplitRound, type SplitRoundResult } from '../../web/session/rounds/split/run-split-round.ts';
import type { Spare } from '../../web/session/rounds/split/split-round.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { pipeline, stageOrders } from '../learn/pipeline-scene.ts';
import { stagePlan } from './stage-plan.ts';
import { engine, LAYERS, model, RUNS, recipe, StageDevice, settings } from './stage-scene.ts';

/** Rounds of a split room from the host's side, with real stages behind links in memory. */
const IDS = ['lowlowlow', 'middlemid', 'highhighhigh'];
const SPARE = 'sparespare';
const whole = await pipeline(
  RUNS.map(() => engine),
  stageOrders(recipe, LAYERS, RUNS, (s) => 3 - s),
);

const plan = stagePlan(IDS);
const parameters = { version: 7, values: model.parameters };

class Scene {
  readonly deviceLinks = new DeviceLinks();
  readonly devices = new Map<string, StageDevice>();
  readonly news: string[] = [];
  readonly relay: Relay;
  readonly pairBytes: PairBytes;
  readonly stop = new AbortController();
  members: readonly string[];
  spares: readonly Spare[] = [];
  readonly #trainers = new Emitter<void>();

  constructor(ids: readonly string[] = IDS, maxBytes = 1e9) {
    this.members = ids;
    this.pairBytes = new PairBytes({ deviceLinks: this.deviceLinks, members: () => new Set(this.members) });
    this.relay = new Relay({ deviceLinks: this.deviceLinks, members: () => new Set(this.members), maxBytes });
    for (const id of ids) {
      const device = new StageDevice(id, engine, () => undefined);
      this.devices.set(id, device);
      this.deviceLinks.attach(id, device.host, false);
    }
  }

  /** Every device holds its run, as a plan has them do before anything is asked. */
  async held(): Promise<this> {
    for (const [i, run] of RUNS.entries()) await this.devices.get(IDS[i]!)?.model.hold(run);
    return this;
  }

  run(by: RoomPlan = plan, after?: number): Promise<SplitRoundResult> {
    const { dropout } = recipe;
    return runSplitRound({
      ...{ term: 1, course: 0, round: recipe.round, plan: by, after, parameters, startMs: 0 },
      deviceLinks: this.deviceLinks,
      settings: {
        ...settings,
        training: { ...settings.training, dropout: dropout.probability, seed: dropout.seed },
      },
      batch: recipe.batch,
      trainers: () => [],
      onTrainers: this.#trainers.on,
      onActivity: () => undefined,
      onNews: (_, sentence) => void this.news.push(sentence),
      nameOf: (id) => id,
      spares: () => this.spares,
      finishSeconds: [1, 1, 1],
      signal: this.stop.signal,
    });
  }

  /** Settles when the host heard so many messages of hidden states from a device. */
  heard(id: string, count: number): Promise<void> {
    let left = count;
    return new Promise((resolve) => {
      const off = this.deviceLinks.onEvent((event) => {
        if (event.type !== 'message' || event.device !== id || event.message.header.type !== 'hidden') return;
        left--;
        if (left > 0) return;
        off();
        resolve();
      });
    });
  }
}

function sameAsWhole(result: SplitRoundResult): void {
  if (result.kind !== 'done') throw new Error(result.sentence);
  expect(result.lossSum).toBe(whole.lossSum);
  expect(result.parts).toHaveLength(whole.gradients.size);
  for (const { block, gradient, samples } of result.parts) {
    expect(samples).toEqual({ start: 0, count: 6 });
    expect(gradient).toEqual(whole.gradients.get(block));
  }
}

describe('a round of three stages', () => {
  it('merges what one device would, tells of every pass, and is over for all', async () => {
    const scene = new Scene();
    const result = await scene.run();
    sameAsWhole(result);
    if (result.kind !== 'done') return;
    expect(result.devices.map(({ device, samples, deepestDepth }) => [device, samples, deepestDepth])).toEqual(
      expect.arrayContaining([
        ['lowlowlow', 6, 3],
        ['middlemid', 6, 2],
        ['highhighhigh', 6, 1],
      ]),
    );
    for (const { index, passes } of result.passes) {
      const way = (direction: string) =>
        passes.filter((pass) => pass.direction === direction).map(({ microBatch }) => microBatch);
      expect([index, way('up'), way('down')]).toEqual([index, [0, 1, 2, 3], [0, 1, 2, 3]]);
    }
    // Everybody is told the same, on the round's clock: each stage's own order, and a micro-batch no earlier than below it, or above.
    const told = IDS.map((id) => result.devices.find(({ device }) => device === id)?.passes ?? []);
    const order = (stage: number) =>
      told[stage]!.map(({ microBatch, direction }) => `${direction === 'up' ? 'F' : 'B'}${microBatch}`).join(' ');
    expect([0, 1, 2].map(order)).toEqual([
      'F0 F1 F2 B0 F3 B1 B2 B3',
      'F0 F1 B0 F2 B1 F3 B2 B3',
      'F0 B0 F1 B1 F2 B2 F3 B3',
    ]);
    for (const { startSeconds = NaN, downSeconds = NaN, passes = [] } of result.devices) {
      expect(passes[0]?.startSeconds).toBeGreaterThanOrEqual(startSeconds + downSeconds - 1e-5);
      for (const [i, { startSeconds: at }] of passes.entries())
        expect(at).toBeGreaterThanOrEqual((passes[i - 1]?.startSeconds ?? 0) + (passes[i - 1]?.seconds ?? 0) - 2e-5);
    }
    // Once up, once down, over each of two cuts: rows of 21 tokens, 4 bytes each of C values.
    const bytes = 21 * settings.shape.hiddenSize * 4;
    expect(scene.relay.bytes.get('lowlowlow middlemid')).toBe(bytes);
    expect(scene.relay.bytes.get('middlemid lowlowlow')).toBe(bytes);
    expect([...scene.relay.bytes.keys()]).toHaveLength(4);
    // The stages say the same of themselves.
    const said = (from: string, to: string) => ({ from, to, bytes: 0, relayedBytes: bytes });
    expect(scene.pairBytes.pairs).toEqual([
      said('highhighhigh', 'middlemid'),
      said('lowlowlow', 'middlemid'),
      said('middlemid', 'highhighhigh'),
      said('middlemid', 'lowlowlow'),
    ]);
  });

  it.each([1, 3, 5, 7])('comes to the same when the middle one dies after %i of its messages', async (count) => {
    const scene = new Scene([...IDS, SPARE]);
    scene.spares = [{ device: SPARE, readyIn: new Map([[2, 0]]) }];
    const running = scene.run();
    await scene.heard('middlemid', count);
    scene.deviceLinks.detach('middlemid');
    sameAsWhole(await running);
    expect(scene.news).toEqual([`middlemid lost its link; ${SPARE} takes over its part of round ${recipe.round}.`]);
    expect(scene.devices.get(SPARE)?.worker.loaded).toEqual([RUNS[1]]);
    // The others did every pass once.
    for (const id of ['lowlowlow', 'highhighhigh']) expect(scene.devices.get(id)?.worker.passes).toHaveLength(8);
  });

  it.each(['lowlowlow', 'highhighhigh'])('comes to the same when %s dies', async (id) => {
    const scene = new Scene([...IDS, SPARE]);
    scene.spares = [{ device: SPARE, readyIn: new Map([1, 2, 3].map((number) => [number, 0])) }];
    const running = scene.run();
    await scene.heard('middlemid', 2);
    scene.deviceLinks.detach(id);
    sameAsWhole(await running);
  });

  it('is interrupted where nobody can take a stage over, and can be run again from the beginning', async () => {
    const scene = new Scene([...IDS, SPARE]);
    const running = scene.run();
    await scene.heard('middlemid', 2);
    scene.deviceLinks.detach('middlemid');
    const result = await running;
    expect(result).toMatchObject({
      kind: 'interrupted',
      sentence: expect.stringContaining('middlemid lost its link, and no device that is free can hold layer 1 (25 MB)'),
    });
    if (result.kind !== 'interrupted') return;
    const anew: RoomPlan = {
      ...plan,
      assignments: plan.assignments.map((own) => (own.device === 'middlemid' ? { ...own, device: SPARE } : own)),
    };
    sameAsWhole(await scene.run(anew, result.epoch));
  });

  it('ends with its session', async () => {
    const scene = new Scene();
    const running = scene.run();
    scene.stop.abort();
    await expect(running).rejects.toThrow('The session ended during a round.');
  });
});

describe('what the host hands on', () => {
  it('is between members alone, and in the sender’s own name', async () => {
    const scene = new Scene();
    scene.members = ['lowlowlow', 'middlemid'];
    const running = scene.run();
    await scene.heard('middlemid', 1);
    expect([...scene.relay.bytes.keys()]).toEqual(['lowlowlow middlemid']);
    scene.stop.abort();
    await running.catch(() => undefined);
  });

  it('is bounded: who has more on its way than any round makes loses its link', async () => {
    const scene = new Scene(IDS, 100);
    const gone = new Promise((resolve) =>
      scene.deviceLinks.onEvent((event) => event.type === 'detached' && resolve(event.device)),
    );
    const running = scene.run();
    expect(await gone).toBe('lowlowlow');
    expect((await running).kind).toBe('interrupted');
  });
});

describe('examples through a pipeline', () => {
  const ask = (
    scene: Scene,
    count = 6,
    onProgress: (done: number, total: number) => void = () => undefined,
    isLaidOut = true,
  ) =>
    runPipeline({
      ...{ term: 1, evaluation: 3, settings, plan, count, labelCount: 2, parameters, onProgress },
      chunk: async () => recipe.batch,
      deviceLinks: scene.deviceLinks,
      nameOf: (id) => id,
      isLaidOut: () => isLaidOut,
      signal: scene.stop.signal,
    });

  it('have the logits of one device', async () => {
    const progress: number[] = [];
    const logits = await ask(await new Scene().held(), 6, (done) => progress.push(done));
    const one = await evaluateBatch(engine, recipe.batch, 6, async () => undefined);
    expect(logits).toHaveLength(one.length);
    for (const [i, value] of one.entries()) expect(logits?.[i]).toBeCloseTo(value, 5);
    expect(progress).toEqual([0, 6]);
  });

  it('are none where a stage holds another run by now, and fail where they are wrong again and again', async () => {
    const scene = await new Scene().held();
    // Labels that the room's own device does not have: every answer is of another size.
    const wrong = (isLaidOut: boolean) =>
      runPipeline({
        ...{ term: 1, evaluation: 4, settings, plan, count: 6, labelCount: 3, parameters },
        chunk: async () => recipe.batch,
        deviceLinks: scene.deviceLinks,
        nameOf: (id) => id,
        isLaidOut: () => isLaidOut,
        onProgress: () => undefined,
        signal: scene.stop.signal,
      });
    expect(await wrong(false)).toBeNull();
    await expect(wrong(true)).rejects.toThrow(/sent logits of another size/);
  });

  it('are none where a stage is not there, or goes', async () => {
    const scene = new Scene();
    const asked = ask(scene);
    scene.deviceLinks.detach('highhighhigh');
    expect(await asked).toBeNull();
    expect(await ask(scene)).toBeNull();
    scene.stop.abort();
    await expect(ask(new Scene(), 0)).resolves.toHaveLength(0);
  });

  it('are waited for as long as their pipeline answers anything, and asked for again when it falls silent', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    try {
      const deviceLinks = new DeviceLinks();
      const asked = new Map<string, number[]>();
      const devices = IDS.map((id) => {
        const [host, device] = localLinkPair();
        device.onMessage(({ header }) => {
          if (header.type === 'stage-evaluate') asked.set(id, [...(asked.get(id) ?? []), header.tag.chunk]);
        });
        deviceLinks.attach(id, host, false);
        return device;
      });
      const stop = new AbortController();
      const samples = { ...settings, training: { ...settings.training, samplesPerRound: 8 } };
      const logits = runPipeline({
        ...{
          term: 1,
          evaluation: 5,
          settings: samples,
          plan: { ...plan, latencySeconds: 10 },
          labelCount: 2,
          parameters,
        },
        // Three chunks.
        count: 96,
        chunk: async (_start, count) => ({
          ...{ ids: new Int32Array(6 * count), lengths: new Int32Array(count).fill(6), tokens: 6 },
          ...{ labels: new Float32Array(count), positions: new Int32Array(count) },
        }),
        deviceLinks,
        nameOf: (id) => id,
        isLaidOut: () => true,
        onProgress: () => undefined,
        signal: stop.signal,
      });
      const chunks = (): readonly number[] => asked.get('highhighhigh') ?? [];
      const settled = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      };
      const answer = async (chunk: number): Promise<void> => {
        const tag = { term: 1, evaluation: 5, chunk };
        await devices[2]?.send({ header: { type: 'logits', tag }, tensors: [new Float32Array(64)] });
        await settled();
      };
      await settled();
      expect(chunks()).toEqual([0, 1, 2]);
      // A round of 8 samples takes 10 s, one of a chunk's 32 takes 40: four times that is waited, after every answer anew.
      for (const chunk of [0, 1]) {
        vi.advanceTimersByTime(150_000);
        await answer(chunk);
        expect(chunks()).toEqual([0, 1, 2]);
      }
      vi.advanceTimersByTime(158_000);
      await settled();
      expect(chunks()).toEqual([0, 1, 2]);
      vi.advanceTimersByTime(4_000);
      await settled();
      expect(chunks()).toEqual([0, 1, 2, 3]);
      await answer(3);
      expect(await logits).toHaveLength(192);
    } finally {
      vi.useRealTimers();
    }
  });
});
