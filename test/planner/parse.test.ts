import { describe, expect, test } from 'vitest';
import { generateFleet, generateProblem } from '../../signaling/planner/problem/generator.ts';
import { ProblemError, parseProblem } from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';

/** This form says nothing of single units. */
const WHOLE = POLICIES.filter((policy) => policy !== 'split');

/** What JSON makes of it: NaN and Infinity become null. */
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const table = () => ({
  blocks: [{ uploadBits: 1e6 }, { uploadBits: 1e6 }],
  devices: [
    { id: 'a', computeSeconds: [1, 2], memoryBytes: [1, 2], memoryLimitBytes: 2, bitsPerSecondPerHz: 3 },
    { id: 'b', computeSeconds: [1, 3], memoryBytes: [1, 2], memoryLimitBytes: 2, bitsPerSecondPerHz: 3 },
  ],
  bandwidthHz: 1e6,
});
const fleet = () => generateFleet(1, { devices: 3, layers: 4, samples: 8 });

describe('problem files', () => {
  test('both forms come back as they were written', () => {
    for (const problem of [table(), fleet(), generateProblem(2, { devices: 3, depths: 2, channel: 'ofdma-power' })]) {
      expect(parseProblem(json(problem))).toEqual(problem);
    }
  });

  test('a head that is left out has nothing to upload', () => {
    const { head: _, ...model } = fleet().model;
    expect(parseProblem({ ...fleet(), model })).toMatchObject({ model: { head: { uploadBits: 0 } } });
  });

  const device = (change: object) => ({
    ...table(),
    devices: [table().devices[0], { ...table().devices[1], ...change }],
  });
  const one = fleet().devices[0]!;
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['not an object', 7, /must be a JSON object/],
    ['neither form', { devices: [] }, /either "blocks".* or "model"/],
    ['both forms', { ...table(), ...fleet() }, /either "blocks".* or "model"/],
    ['no devices', { ...table(), devices: [] }, /devices must not be empty/],
    ['no blocks', { ...table(), blocks: [] }, /blocks must not be empty/],
    ['negative time', device({ computeSeconds: [1, -2] }), /devices\.1\.computeSeconds.*not negative/],
    ['not a number', json(device({ computeSeconds: [1, NaN] })), /devices\.1\.computeSeconds.*finite numbers/],
    ['too few times', device({ computeSeconds: [1] }), /"b" has 1 computeSeconds but there are 2 blocks/],
    ['too many bytes', device({ memoryBytes: [1, 2, 3] }), /"b" has 3 memoryBytes but there are 2 blocks/],
    ['two alike', device({ id: 'a' }), /Two devices have the id "a"/],
    ['an empty id', device({ id: '' }), /devices\.1\.id.*must not be empty/],
    [
      'no link',
      device({ bitsPerSecondPerHz: undefined }),
      /"b" has no bitsPerSecondPerHz, which channel "ofdma" needs/,
    ],
    ['the other link', { ...table(), channel: 'ofdma-power' }, /"a" has no snrHz, which channel "ofdma-power" needs/],
    ['a channel nobody knows', { ...table(), channel: 'smoke' }, /channel must be "ofdma"/],
    ['no bandwidth', { ...table(), bandwidthHz: 0 }, /bandwidthHz must be above 0/],
    ['missing bandwidth', { ...table(), bandwidthHz: undefined }, /bandwidthHz.*missing/],
    ['half a layer', { ...fleet(), model: { ...fleet().model, layers: 2.5 } }, /layers must be a whole number/],
    ['a thousand layers', { ...fleet(), model: { ...fleet().model, layers: 1000 } }, /layers must be at most 64/],
    ['no samples', { ...fleet(), model: { ...fleet().model, samples: 0 } }, /samples must be at least 1/],
    ['a host from nowhere', { ...fleet(), host: 'nobody' }, /host "nobody" is not among the devices/],
    ['two alike, in the detailed form', { ...fleet(), devices: [one, one] }, /Two devices have the id "device-0"/],
    [
      'no link, in the detailed form',
      { ...fleet(), devices: [{ ...one, bitsPerSecondPerHz: undefined }] },
      /"device-0" has no bitsPerSecondPerHz, which channel "ofdma" needs/,
    ],
    [
      'negative memory',
      { ...fleet(), devices: [{ ...one, memory: { ...one.memory, limitBytes: -1 } }] },
      /limitBytes must not be negative/,
    ],
    [
      'times as text',
      { ...fleet(), devices: [{ ...one, secondsPerSample: 'fast' }] },
      /secondsPerSample must be an object/,
    ],
  ];
  test.each(bad)('%s: one clear sentence', (_, input, sentence) => {
    expect(() => parseProblem(input)).toThrow(ProblemError);
    expect(() => parseProblem(input)).toThrow(sentence);
    try {
      parseProblem(input);
    } catch (error) {
      expect((error as Error).message).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('a million devices are refused before they are read', () => {
    const devices = new Array(1_000_000).fill(table().devices[0]);
    expect(() => parseProblem({ ...table(), devices })).toThrow('There are 1000000 devices; plan for at most 200000.');
  });

  test('memory that falls with depth is no error: matching finds the right answer', () => {
    const problem = table();
    // a holds depth 2 only, b depth 1 only.
    problem.devices[0]!.memoryBytes = [3, 1];
    problem.devices[1]!.memoryBytes = [1, 3];
    const answer = solve(parseProblem(problem), 'crunch');
    if (!answer.feasible) throw new Error(answer.reason);
    expect(answer.assignments.map(({ device: id, depth }) => [id, depth])).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    expect(answer.solver).toContain('Hopcroft-Karp');
  });
});

describe('nothing hangs', () => {
  test('every policy answers for 2,000 devices, for zero costs and for zero bits', () => {
    const zero = { ...table(), blocks: [{ uploadBits: 0 }, { uploadBits: 0 }] };
    const idle = {
      ...fleet(),
      devices: fleet().devices.map((given) => ({
        ...given,
        overheadSeconds: 0,
        secondsPerSample: { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 },
      })),
    };
    const silent = { ...fleet(), model: { ...fleet().model, head: { uploadBits: 0 }, layerUploadBits: 0 } };
    const large = generateProblem(1, { devices: 2000, depths: 12 });
    const largeFleet = generateFleet(1, { devices: 2000, layers: 12, samples: 16 });
    for (const problem of [zero, idle, silent, large, largeFleet]) {
      for (const policy of WHOLE) {
        const answer = solve(parseProblem(problem), policy, { seed: 1 });
        expect(answer.feasible, policy).toBe(true);
        if (answer.feasible) expect(Number.isFinite(answer.latencySeconds)).toBe(true);
      }
    }
  });
});
