import { describe, expect, it } from 'vitest';
import { deviceReport } from '../../web/page/report/device-report.ts';
import type { DeviceFacts } from '../../web/tab/device-facts.ts';
import { device, plan, room, rounds, type Share, view } from './gallery/scenarios.ts';

const FACTS: DeviceFacts = {
  browser: 'Mozilla/5.0 (Linux; Android 16)',
  cores: 8,
  touchPoints: 5,
  screen: '412 x 915 at 2.625',
  secure: true,
  isolated: true,
  gpu: {
    name: 'qualcomm, adreno-8xx',
    software: false,
    features: ['shader-f16', 'subgroups'],
    limits: { maxBufferSize: 268_435_456 },
  },
  claimBytes: 1.5e9,
  ended: { what: 'train', model: 'local/secret-name', bytes: 6.4e8, samples: 4, hidden: false },
};
const SHARES: readonly Share[] = [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
];
const two = plan(6, SHARES);
const devices = [device(0), device(1)];
const self = devices[1]!.id;
const training = view({
  role: 'device',
  self,
  room: room({ devices, plan: two, phase: 'training' }),
  rounds: rounds(12, two),
  links: {
    [self]: { way: 'relayed', roundTripMs: 61.4, sentBitsPerSecond: 1, receivedBitsPerSecond: 1, movedBytes: 1 },
  },
});

describe('a device’s report', () => {
  const text = deviceReport(training, FACTS);
  const has = (...parts: string[]) => {
    for (const part of parts) expect(text).toContain(part);
  };

  it('says what the device is, what it measured and which way its link goes', () => {
    const profile = devices[1]!.profile!;
    has('Android 16', '8 cores', 'qualcomm, adreno-8xx', 'features: shader-f16 subgroups', 'maxBufferSize: 268435456');
    has('ended last in: train, 4 samples, 640 MB');
    expect(text).not.toContain('secret-name');
    has('secure context: yes', 'training may take 1.5 GB', `${profile.engine} on ${profile.backend}`);
    has('relayed, 61 ms there and back', 'as device');
  });

  it('has its last ten rounds against the plan, in numbers', () => {
    const lines = text.split('\n').filter((line) => line.startsWith('  round '));
    expect(lines).toHaveLength(10);
    const last = training.rounds.at(-1)!;
    const own = last.devices.find((entry) => entry.device === self)!;
    const predicted = two.assignments.find((one) => one.device === self)!;
    expect(lines.at(-1)).toBe(
      `  round ${last.round}: computed ${own.computeSeconds.toPrecision(3)} s, sent ${own.uploadSeconds.toPrecision(3)} s, predicted ${predicted.computeSeconds.toPrecision(3)} s and ${predicted.uploadSeconds.toPrecision(3)} s; ${own.samples} samples, down to depth ${own.deepestDepth}`,
    );
  });

  it('tells of an earlier plan’s rounds no prediction', () => {
    const later = { ...training, room: room({ devices, plan: { ...two, version: two.version + 1 } }) };
    expect(deviceReport(later, FACTS)).not.toContain('predicted');
  });

  it('says what is missing', () => {
    const bare = deviceReport(view({ role: 'device', self: 'x', room: null }), { ...FACTS, gpu: null });
    expect(bare).toContain('graphics processor: none that WebGPU gives');
    expect(bare).toContain('nothing yet');
    expect(bare).not.toContain('Its rounds');
  });

  it('holds no names, codes or addresses, whatever the log says', () => {
    const named = [device(0, { name: 'Anna’s (old) phone' }), device(1, { name: 'a' })];
    const code = training.room!.id;
    const sentence = `Anna’s (old) phone at 192.168.1.20:8787 and a, [fe80::1:2:3:4], left ${code} (https://desk:8787/#room=${code}); a lamp that has no name went on`;
    const told = deviceReport(
      {
        ...training,
        room: { ...training.room!, devices: named },
        status: { kind: 'failed', sentence: 'a could not go on' },
        notices: [{ id: 1, kind: 'news', sentence, elapsedSeconds: 12.4 }],
      },
      FACTS,
    );
    expect(told).toContain('failed: [a device] could not go on');
    expect(told).toContain(
      '12 s: [a device] at [address] and [a device], [[address]], left [code] ([address] [a device] lamp that has no name went on',
    );
    for (const secret of ['Anna', code, '192.168', 'fe80', 'desk']) expect(told).not.toContain(secret);
  });
});
