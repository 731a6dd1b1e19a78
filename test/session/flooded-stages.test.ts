import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { EarlyHidden } from '../../web/session/stages/cuts/early-hidden.ts';
import { Traffic } from '../../web/session/stages/cuts/traffic.ts';
import { PipelineScene } from './stage-scene.ts';

/** What a host, or a neighbour, that sends whatever it likes can make a stage hold. */

const [LOW, MIDDLE, HIGH] = ['lowlowlow', 'middlemid', 'highhighhigh'] as const;
const IDS = [LOW, MIDDLE, HIGH];
const FULL = `${MIDDLE}: This device has as much work waiting as it takes.`;

const hidden = (microBatch: number): DataMessage<'hidden'> => ({
  header: {
    type: 'hidden',
    from: LOW,
    to: MIDDLE,
    of: { term: 1, round: 9, pipeline: 0, epoch: 1 },
    stage: 1,
    ...{ microBatch, direction: 'up', codec: 'f32', scale: 1 },
  },
  tensors: [new Float32Array(4)],
});

describe('hidden states that come too early', () => {
  it('are counted with what each takes beside its values, and the last ones stay', () => {
    const early = new EarlyHidden(100_000);
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < 1000; i++) early.keep({ message: hidden(i), sender: LOW, isRelayed: false });
      const kept = early.takeAll().map(({ message }) => message.header.microBatch);
      // 16 bytes of values and 512 beside them: 189 fit.
      expect(kept).toEqual(Array.from({ length: 189 }, (_, i) => 811 + i));
    }
    // One that is longer than all that may wait does not.
    early.keep({ message: { ...hidden(0), tensors: [new Float32Array(25_000)] }, sender: LOW, isRelayed: false });
    expect(early.takeAll()).toEqual([]);
  });
});

it('of more devices than a room can have what is sent and received is not counted', () => {
  const traffic = new Traffic();
  for (let i = 0; i < 10_000; i++) traffic.received(`device${i}`, 1, true);
  expect(traffic.pairs.size).toBe(256);
  traffic.received('device0', 1, true);
  expect(traffic.pairs.get('device0')?.relayedReceivedBytes).toBe(2);
});

describe('a stage whose host sends whatever it likes', () => {
  it('says again once what waits to be said, however often its neighbour is another one', async () => {
    const scene = new PipelineScene(IDS);
    const said: DataMessage<'hidden'>[] = [];
    const free: (() => void)[] = [];
    const { seat, host } = scene.device(LOW);
    seat.direct = {
      send(message) {
        said.push(message);
        return new Promise((resolve) => free.push(resolve));
      },
      lose: () => undefined,
    };
    await scene.give(0);
    await scene.until(() => (scene.passes.get(LOW)?.length ?? 0) > 0);
    const again = {
      type: 'rewire',
      tag: scene.tag(0),
      side: 'above',
      neighbour: { device: MIDDLE, epoch: 1 },
    } as const;
    for (let i = 0; i < 200; i++) await host.send({ header: again, tensors: [] });
    await scene.settle();
    while (free.length > 0) {
      for (const settle of free.splice(0)) settle();
      await scene.settle();
    }
    // Eight are at the link at once, and four micro-batches are all that there are.
    expect(said.length).toBeLessThanOrEqual(8 + 4);
  });

  it('holds the orders that were taken back before it could begin up to a number', async () => {
    const scene = new PipelineScene(IDS);
    const { host, worker } = scene.device(MIDDLE);
    worker.loadPart = () => new Promise(() => undefined);
    const order = scene.order(1);
    for (let epoch = 1; epoch <= 12; epoch++)
      await host.send({ ...order, header: { ...order.header, tag: { ...order.header.tag, epoch } } });
    await scene.settle();
    expect(scene.failures).toEqual([FULL, FULL, FULL, FULL]);
  });

  it('holds no more of evaluations than a few of the longest messages', async () => {
    const scene = new PipelineScene(IDS);
    const { host } = scene.device(MIDDLE);
    const { header, tensors } = scene.chunk(1, 1);
    for (let chunk = 0; chunk < 20; chunk++) {
      // As it comes over a link: a view of all that its message brought.
      const parameters = new Float32Array(new ArrayBuffer(64 * 1024), 0, tensors.at(-1)?.length);
      await host.send({ header: { ...header, tag: { ...header.tag, chunk } }, tensors: [tensors[0], parameters] });
    }
    await scene.settle();
    expect(scene.failures.length).toBeGreaterThan(10);
    expect(new Set(scene.failures)).toEqual(new Set([`${MIDDLE}: This device has too much to do.`]));
  });

  it('computes one stage of another device under one number', async () => {
    const scene = new PipelineScene(IDS);
    const { host } = scene.device(MIDDLE);
    const { header, tensors } = scene.order(1);
    const { below: _b, above: _a, share: _s, checked: _c, ...same } = header;
    const tag = { term: 1, audit: 1 };
    for (let i = 0; i < 3; i++) await host.send({ header: { ...same, type: 'stage-audit', tag, round: 3 }, tensors });
    await scene.settle();
    const refused = `${MIDDLE}: This device has as many stages to compute again as it takes.`;
    expect(scene.failures).toEqual([refused, refused]);
  });
});
