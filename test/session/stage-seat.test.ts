import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { oneDevice, pipeline, stageOrders } from '../learn/pipeline-scene.ts';
import { engine, LAYERS, PipelineScene, RUNS, recipe } from './stage-scene.ts';

const [LOW, MIDDLE, HIGH, SPARE] = ['lowlowlow', 'middlemid', 'highhighhigh', 'sparespare'] as const;
const IDS = [LOW, MIDDLE, HIGH, SPARE];
/** The pipeline's own gradient; that of one device with the same micro-batches, but for what a cut rounds in an engine of float64. */
const whole = await pipeline(
  RUNS.map(() => engine),
  stageOrders(recipe, LAYERS, RUNS, (s) => 3 - s),
);

function expectWhole(scene: PipelineScene): void {
  expect(scene.failures).toEqual([]);
  for (const [block, gradient] of whole.gradients) expect(scene.gradients.get(block)).toEqual(gradient);
  expect(scene.lossSum).toBe(whole.lossSum);
}

const nameOf = ({ header: { from, to, microBatch } }: DataMessage<'hidden'>): string => `${from}>${to} ${microBatch}`;
const repeated = (of: readonly string[]): string[] => of.filter((one, i) => of.indexOf(one) !== i);

describe('three devices, hidden states by way of the host', () => {
  it('come to the gradient of one device', async () => {
    const scene = new PipelineScene(IDS);
    await scene.giveAll();
    await scene.done();
    expectWhole(scene);
    const one = await oneDevice(engine, recipe);
    expect(scene.lossSum).toBeCloseTo(one.lossSum, 5);
    for (const [block, gradient] of one.gradients) {
      const largest = Math.max(...gradient.map(Math.abs));
      const found = scene.gradients.get(block)!;
      for (let i = 0; i < gradient.length; i++) expect(Math.abs(found[i]! - gradient[i]!)).toBeLessThan(2e-6 * largest);
    }
  });

  it('in whichever order their orders come', async () => {
    for (const order of [
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
    ]) {
      const scene = new PipelineScene(IDS);
      for (const s of order) {
        await scene.give(s);
        await scene.settle();
      }
      await scene.done();
      expectWhole(scene);
    }
  });

  it('fetch their runs alone, and tell of every pass', async () => {
    const scene = new PipelineScene(IDS);
    await scene.giveAll();
    await scene.done();
    expect([LOW, MIDDLE, HIGH, SPARE].map((id) => scene.device(id).worker.loaded)).toEqual([
      [RUNS[0]],
      [RUNS[1]],
      [RUNS[2]],
      [],
    ]);
    // Four micro-batches; windows of 3, 2 and 1.
    expect(scene.device(LOW).worker.passes.join(' ')).toBe('F1 F2 F3 B1 F4 B2 B3 B4');
    expect(scene.device(MIDDLE).worker.passes.join(' ')).toBe('F1 F2 B1 F3 B2 F4 B3 B4');
    expect(scene.device(HIGH).worker.passes.join(' ')).toBe('F1 B1 F2 B2 F3 B3 F4 B4');
    expect(scene.passes.get(MIDDLE)).toHaveLength(8);
  });

  it('count what they say to each other: rows of real tokens, four bytes a value', async () => {
    const scene = new PipelineScene(IDS);
    await scene.giveAll();
    await scene.done();
    // 21 tokens of 12 values, at each cut as much up as down.
    const bytes = 4 * 12 * (1 + 2 + 3 + 4 + 5 + 6);
    const pair = { sentBytes: 0, receivedBytes: 0, relayedSentBytes: bytes, relayedReceivedBytes: bytes };
    expect([...scene.device(MIDDLE).seat.traffic.pairs].sort()).toEqual([
      [HIGH, pair],
      [LOW, pair],
    ]);
  });

  it('round to 16 bits where the session says so, a little off and the same every time', async () => {
    const scenes = [new PipelineScene(IDS, 'f16'), new PipelineScene(IDS, 'f16')];
    for (const scene of scenes) {
      await scene.giveAll();
      await scene.done();
    }
    const [first, second] = scenes as [PipelineScene, PipelineScene];
    for (const [block, gradient] of whole.gradients) {
      const found = first.gradients.get(block)!;
      expect(second.gradients.get(block)).toEqual(found);
      const norm = Math.hypot(...gradient);
      const off = Math.hypot(...gradient.map((value, i) => value - found[i]!)) / norm;
      expect(off).toBeLessThan(5e-3);
      if (block !== 'head') expect(off).toBeGreaterThan(1e-6);
    }
    const bytes = 2 * 12 * 21;
    expect(first.device(LOW).seat.traffic.pairs.get(MIDDLE)).toMatchObject({ relayedSentBytes: bytes });
  });
});

describe('a stage that is lost', () => {
  /** What has passed in the middle stage when it is lost, as far as the host was told; its spare begins at the start. */
  const MOMENTS: readonly (readonly [string, (message: DataMessage<'hidden'>) => boolean])[] = [
    ['before its first forward pass', ({ header }) => header.to === MIDDLE && header.microBatch === 0],
    ['between its passes', ({ header }) => header.from === MIDDLE && header.direction === 'down'],
    [
      'while the last backward pass comes to it',
      ({ header }) => header.to === MIDDLE && header.microBatch === 3 && header.direction === 'down',
    ],
  ];

  it.each(MOMENTS)('%s: a spare takes over, and the others go forward no more than once', async (_, isMoment) => {
    const scene = new PipelineScene(IDS);
    let lost = false;
    scene.change = (message) => {
      if (lost) return message.header.from === MIDDLE || message.header.to === MIDDLE ? [] : [message];
      if (!isMoment(message)) return [message];
      lost = true;
      scene.device(MIDDLE).seat.close();
      void scene.takeOver(1, SPARE);
      return [];
    };
    await scene.giveAll();
    await scene.done();
    expect(lost).toBe(true);
    expectWhole(scene);
    for (const id of [LOW, HIGH]) {
      const { passes } = scene.device(id).worker;
      expect([passes.length, repeated(passes)]).toEqual([8, []]);
    }
    expect(scene.device(SPARE).worker.passes.filter((pass) => pass.startsWith('F'))).toHaveLength(4);
  });

  it.each([0, 1, 2])(
    'after half of its gradients were sent (stage %i): what came counts, the rest comes from the spare',
    async (s) => {
      const scene = new PipelineScene(IDS);
      const device = IDS[s]!;
      let lost = false;
      scene.onGradient = (from) => {
        if (from !== device || lost) return;
        lost = true;
        scene.device(device).seat.close();
        void scene.takeOver(s, SPARE);
      };
      await scene.giveAll();
      await scene.done();
      expect(lost).toBe(true);
      expectWhole(scene);
    },
  );

  it.each([
    [1, LOW],
    [1, HIGH],
    [2, MIDDLE],
    [0, HIGH],
  ] as const)('(%i) is %s’s beside its own, which it goes on with', async (s, taker) => {
    const scene = new PipelineScene(IDS);
    const device = IDS[s]!;
    let lost = false;
    scene.change = (message) => {
      if (lost) return message.header.from === device ? [] : [message];
      if (message.header.from !== device) return [message];
      lost = true;
      scene.device(device).seat.close();
      void scene.takeOver(s, taker);
      return [];
    };
    await scene.giveAll();
    await scene.done();
    expect(lost).toBe(true);
    expectWhole(scene);
    const { worker, seconds } = scene.device(taker);
    expect([worker.passes.length, repeated(worker.passes)]).toEqual([8, []]);
    expect(seconds.map(({ loaded, passes }) => [loaded, passes.length])).toEqual([[[RUNS[s]], 8]]);
    // It is given up with the round.
    await scene.device(taker).host.send({ header: { type: 'merged', term: 1, round: recipe.round }, tensors: [] });
    await scene.settle();
    expect(scene.device(taker).worker.loaded).toEqual([RUNS[IDS.indexOf(taker)]]);
  });

  it('that does its part again itself gets everything again', async () => {
    const scene = new PipelineScene(IDS);
    let again = false;
    scene.change = (message) => {
      if (!again && message.header.from === HIGH && message.header.microBatch === 1) {
        again = true;
        void scene.takeOver(1, MIDDLE);
      }
      return [message];
    };
    await scene.giveAll();
    await scene.done();
    expect(again).toBe(true);
    expectWhole(scene);
    expect(scene.device(LOW).worker.passes).toHaveLength(8);
    expect(scene.device(HIGH).worker.passes).toHaveLength(8);
  });
});

describe('hidden states that are no use', () => {
  it.each<[string, (message: DataMessage<'hidden'>) => DataMessage<'hidden'>[]]>([
    ['twice', (message) => [message, message]],
    [
      'first with other values in the name of a stage that is none',
      (message) => [{ ...message, header: { ...message.header, from: SPARE }, tensors: [zeros(message)] }, message],
    ],
    [
      'first of an epoch that is over',
      (message) => [
        { ...message, header: { ...message.header, of: { ...ofRound(message), epoch: 0 } }, tensors: [zeros(message)] },
        message,
      ],
    ],
    [
      'first of a round that is over',
      (message) => [
        { ...message, header: { ...message.header, of: { ...ofRound(message), round: 2 } }, tensors: [zeros(message)] },
        message,
      ],
    ],
    [
      'first of a host before',
      (message) => [
        {
          ...message,
          header: { ...message.header, of: { ...ofRound(message), term: 0, round: 9 } },
          tensors: [zeros(message)],
        },
        message,
      ],
    ],
    [
      'first of another pipeline, and of another stage',
      (message) => [
        {
          ...message,
          header: { ...message.header, of: { ...ofRound(message), pipeline: 3 } },
          tensors: [zeros(message)],
        },
        { ...message, header: { ...message.header, stage: 7 }, tensors: [zeros(message)] },
        message,
      ],
    ],
    [
      'first too short, then too long, then of a micro-batch that is none',
      (message) => [
        { ...message, tensors: [zeros(message).subarray(12)] },
        { ...message, tensors: [new Float32Array(12 * 60)] },
        { ...message, header: { ...message.header, microBatch: 4 } },
        message,
      ],
    ],
    ['first in another form', (message) => [{ ...message, header: { ...message.header, codec: 'f16' } }, message]],
  ])('come %s: the round is exact', async (_, change) => {
    const scene = new PipelineScene(IDS);
    scene.change = change;
    await scene.giveAll();
    await scene.done();
    expectWhole(scene);
  });

  it('of a later round wait for its order, and those of orders that never come make room for others', async () => {
    const scene = new PipelineScene(IDS);
    const early: DataMessage<'hidden'>[] = [];
    scene.change = (message) => {
      early.push(message);
      return message.header.to === MIDDLE ? [later(message), message] : [message];
    };
    await scene.giveAll();
    await scene.done();
    expectWhole(scene);
    expect(early.map(nameOf)).toContain(`${LOW}>${MIDDLE} 0`);
  });
});

it('what is not finite is not said to anybody: the host is told', async () => {
  const scene = new PipelineScene(IDS);
  const order = scene.order(0);
  const broken = order.tensors.map((tensor, i) =>
    i === order.tensors.length - 1 ? new Float32Array(tensor.length).fill(Number.NaN) : tensor,
  );
  await scene.device(LOW).host.send({ ...order, tensors: broken });
  await scene.until(() => scene.failures.length > 0);
  expect(scene.failures).toEqual([`${LOW}: Hidden states are not finite numbers any more.`]);
});

it('a device that lacks the parameters says so', async () => {
  const scene = new PipelineScene(IDS);
  const { header, tensors } = scene.order(1);
  await scene.device(MIDDLE).host.send({ header: { ...header, parameters: false }, tensors: tensors.slice(0, -1) });
  await scene.until(() => scene.failures.length > 0);
  expect(scene.failures).toEqual([`${MIDDLE}: This device does not have version 7 of its parameters.`]);
});

it('a round that is merged is forgotten: nothing of it is said again', async () => {
  const scene = new PipelineScene(IDS);
  await scene.giveAll();
  await scene.done();
  const said: string[] = [];
  scene.change = (message) => {
    said.push(nameOf(message));
    return [];
  };
  const rewire: DataMessage<'rewire'> = {
    header: { type: 'rewire', tag: scene.tag(0), side: 'above', neighbour: { device: SPARE, epoch: 5 } },
    tensors: [],
  };
  await scene.device(LOW).host.send(rewire);
  await scene.settle();
  expect(said).toEqual([0, 1, 2, 3].map((j) => `${LOW}>${SPARE} ${j}`));
  said.length = 0;
  await scene.device(LOW).host.send({ header: { type: 'merged', term: 1, round: recipe.round }, tensors: [] });
  await scene.device(LOW).host.send(rewire);
  await scene.settle();
  expect(said).toEqual([]);
});

function zeros({ tensors: [tensor] }: DataMessage<'hidden'>): Float32Array {
  return new Float32Array(tensor!.length);
}

function ofRound({ header: { of } }: DataMessage<'hidden'>) {
  if ('chunk' in of) throw new Error('This is of no round.');
  return of;
}

function later(message: DataMessage<'hidden'>): DataMessage<'hidden'> {
  return {
    ...message,
    header: { ...message.header, of: { ...ofRound(message), round: recipe.round + 1 } },
    tensors: [zeros(message)],
  };
}
