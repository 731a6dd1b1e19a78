import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceLinks, type WorkHeader } from '../../web/session/rounds/device-links.ts';
import { SeatScene, settle, tag } from './seat-scene.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const one = (value: number) => Float32Array.of(value);
const header = (of: number, version: number): WorkHeader => ({
  type: 'order',
  tag: tag(1, 1, of),
  layers: [5],
  head: false,
  samples: { start: 0, count: 1 },
  microBatch: 1,
  version,
  tokens: 1,
  share: 1,
  dropout: { probability: 0, seed: 1 },
});
const sample = [Int32Array.of(5), Int32Array.of(1), one(0), Int32Array.of(0)];
const whole = (version: number, value: number) => ({
  ...{ version, steps: version, digest: value },
  ...{ values: one(value), firstMoment: one(0), secondMoment: one(0) },
});

/** A device with a scripted worker, whose state is one number, and the host's end of its link. */
function scene() {
  const device = new SeatScene();
  const links = new DeviceLinks();
  links.attach('a', device.host);
  const order = async (round: number, version: number, value: number) => {
    links.sendWork('a', { version, values: one(value), digest: value }, header(round, version), sample);
    await settle();
    device.worker.done();
    await settle();
  };
  return { device, links, order };
}

const parametersOf = ({ worker }: SeatScene): string[] => worker.did.filter((did) => did.includes('parameters'));

describe('a device', () => {
  it('is given the whole once, and takes every step after it itself', async () => {
    const { device, links, order } = scene();
    expect(links.lacks(['a'], { version: 4, digest: 40 })).toBe(true);
    links.sendWhole(1, ['a'], whole(4, 40));
    expect(links.lacks(['a'], { version: 4, digest: 40 })).toBe(false);
    await order(5, 4, 40);
    links.sendStep(1, { version: 4, digest: 40 }, { gradient: one(2), learningRate: 1, digest: 42 });
    await order(6, 5, 42);
    links.sendStep(1, { version: 5, digest: 42 }, null);
    await order(7, 6, 42);
    expect(parametersOf(device)).toEqual(['held parameters 40', 'held parameters 42', 'held parameters 42']);
    expect(device.worker.did.filter((did) => did.startsWith('begin'))).toHaveLength(3);
  });

  it.each(['f16', 'int8'] as const)('takes steps that travel as %s', async (uploads) => {
    const { device, links, order } = scene();
    links.sendWhole(1, ['a'], whole(4, 40));
    links.sendStep(1, { version: 4, digest: 40 }, { gradient: one(2.5), learningRate: 1, digest: 42.5 }, uploads);
    await order(6, 5, 42.5);
    links.sendStep(1, { version: 5, digest: 42.5 }, null, uploads);
    await order(7, 6, 42.5);
    expect(parametersOf(device)).toEqual(['held parameters 42.5', 'held parameters 42.5']);
  });

  it('that comes to other bits lets go, is given parameters with its order, and then the whole again', async () => {
    const { device, links, order } = scene();
    links.sendWhole(1, ['a'], whole(4, 40));
    await settle();
    // Adds up to 42, not to what the host came to.
    links.sendStep(1, { version: 4, digest: 40 }, { gradient: one(2), learningRate: 1, digest: 43 });
    await settle();
    expect(links.lacks(['a'], { version: 5, digest: 43 })).toBe(true);
    await order(6, 5, 43);
    expect(parametersOf(device)).toEqual(['parameters 43']);
    links.sendWhole(1, ['a'], whole(5, 43));
    await order(6, 5, 43);
    expect(parametersOf(device)).toEqual(['parameters 43', 'held parameters 43']);
  });

  it('that links again says what it holds, and needs no whole where nothing happened meanwhile', async () => {
    const { device, links } = scene();
    links.sendWhole(1, ['a'], whole(4, 40));
    await settle();
    links.attach('a', device.link());
    expect(links.lacks(['a'], { version: 4, digest: 40 })).toBe(true);
    await settle();
    expect(links.lacks(['a'], { version: 4, digest: 40 })).toBe(false);
    expect(links.lacks(['a'], { version: 4, digest: 41 })).toBe(true);
    expect(links.lacks(['a'], { version: 5, digest: 40 })).toBe(true);
  });

  it('that never stays in step gets the whole eight times over one link, and parameters with its orders from then on', async () => {
    const { device, links, order } = scene();
    for (let version = 1; version <= 8; version++) {
      links.sendWhole(1, ['a'], { ...whole(version, version), digest: -version >>> 0 });
      await settle();
      expect(links.lacks(['a'], { version, digest: -version >>> 0 })).toBe(version < 8);
    }
    links.sendWhole(1, ['a'], whole(9, 9));
    await order(10, 9, 9);
    expect(parametersOf(device)).toEqual(['parameters 9']);
  });

  it('that takes nothing in for a while lets go of what it held instead of keeping steps without end', async () => {
    const { device, links, order } = scene();
    links.sendWhole(1, ['a'], whole(4, 40));
    await settle();
    links.sendWork('a', { version: 4, values: one(40), digest: 40 }, header(5, 4), sample);
    await settle();
    // While it is at work, nine steps come.
    for (let version = 4; version < 13; version++)
      links.sendStep(1, { version, digest: 40 }, { gradient: one(0), learningRate: 1, digest: 40 });
    await settle();
    expect(links.lacks(['a'], { version: 13, digest: 40 })).toBe(true);
    device.worker.done();
    await order(14, 13, 40);
    expect(parametersOf(device)).toEqual(['held parameters 40', 'parameters 40']);
  });
});

it('the host’s own device, which goes with it, keeps no copy', () => {
  const device = new SeatScene();
  const links = new DeviceLinks();
  links.attach('a', device.host, false);
  expect(links.lacks(['a'], { version: 4, digest: 40 })).toBe(false);
});
