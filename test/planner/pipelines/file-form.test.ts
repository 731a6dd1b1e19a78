import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { generateSplitProblem } from '../../../signaling/planner/pipelines/generator.ts';
import { isSplitForm, parseSplitProblem } from '../../../signaling/planner/pipelines/parse.ts';
import { ProblemError } from '../../../signaling/planner/problem/parse.ts';
import type { SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Three devices; the first is the host. */
const room = () => generateSplitProblem(3, { devices: 3, layers: 4, samples: 4, regime: 'network' });

async function plan(problem: unknown, argv: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'signaling/tabloom.ts', 'plan', '-', ...argv], {
    cwd: PROJECT,
  });
  const text = { out: '', problem: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.problem += chunk;
  });
  child.stdin.end(JSON.stringify(problem));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...text };
}

describe('the form for split rooms', () => {
  test('comes back as it was written, with and without a host', () => {
    const { host: _, ...hostless } = room();
    const apart: SplitProblem = { ...hostless, relayed: [['device-1', 'device-2']] };
    for (const problem of [room(), hostless, apart]) {
      expect(isSplitForm(problem)).toBe(true);
      expect(parseSplitProblem(JSON.parse(JSON.stringify(problem)))).toEqual(problem);
    }
  });

  const ofModel = (change: object) => ({ ...room(), split: { ...room().split, ...change } });
  const ofDevice = (change: object) => {
    const [first, second, ...rest] = room().devices;
    return { ...room(), devices: [first, { ...second, ...change }, ...rest] };
  };
  const ofPairs = (...relayed: unknown[]) => ({ ...room(), relayed });
  const { memory, fixedSeconds, secondsPerSample } = room().devices[1];
  const bad: readonly (readonly [string, object, RegExp])[] = [
    ['a whole model beside it', { ...room(), model: {} }, /one of "split", "model" and "blocks"/],
    ['no devices', { ...room(), devices: [] }, /devices must not be empty/],
    ['no list of devices', { ...room(), devices: {} }, /devices must be a list/],
    ['too many devices', { ...room(), devices: new Array(257).fill(room().devices[0]) }, /at most 256 entries/],
    ['a device that is none', { ...room(), devices: [7] }, /devices\.0 is wrong: must be an object/],
    ['half a layer', ofModel({ layers: 3.5 }), /split\.layers.*whole number/],
    ['a thousand layers', ofModel({ layers: 1000 }), /split\.layers.*at most 64/],
    ['no samples', ofModel({ samples: 0 }), /split\.samples.*at least 1/],
    ['too many samples', ofModel({ samples: 4097 }), /split\.samples.*at most 4096/],
    ['more trained layers than layers', ofModel({ trainedLayers: 5 }), /5 trainedLayers but 4 layers/],
    ['fewer than none', ofModel({ trainedLayers: -1 }), /trainedLayers must not be negative/],
    ['half a trained layer', ofModel({ trainedLayers: 1.5 }), /trainedLayers must be a whole number/],
    ...[
      'hiddenBits',
      'headCutBits',
      'messageBits',
      'layerUploadBits',
      'headUploadBits',
      'replayBytesPerSample',
    ].flatMap((field): [string, object, RegExp][] => [
      [`negative ${field}`, ofModel({ [field]: -1 }), new RegExp(`split\\.${field}.*must not be negative`)],
      [`no ${field}`, ofModel({ [field]: undefined }), new RegExp(`split\\.${field} is wrong: it is missing`)],
      [`${field} as a text`, ofModel({ [field]: '1' }), new RegExp(`split\\.${field}.*must be a number`)],
      [`huge ${field}`, ofModel({ [field]: 1e60 }), new RegExp(`split\\.${field}.*between 1e-50 and 1e50`)],
    ]),
    ...Object.keys(memory).map((field): [string, object, RegExp] => [
      `no ${field}`,
      ofDevice({ memory: { ...memory, [field]: null } }),
      new RegExp(`devices\\.1\\.memory\\.${field} is wrong`),
    ]),
    ...Object.keys(fixedSeconds).flatMap((field): [string, object, RegExp][] => [
      [
        `no fixed ${field}`,
        ofDevice({ fixedSeconds: { ...fixedSeconds, [field]: undefined } }),
        new RegExp(`devices\\.1\\.fixedSeconds\\.${field} is wrong: it is missing`),
      ],
      [
        `negative ${field}`,
        ofDevice({ secondsPerSample: { ...secondsPerSample, [field]: -2 } }),
        new RegExp(`devices\\.1\\.secondsPerSample\\.${field}.*not be negative`),
      ],
    ]),
    ['a link that carries nothing', ofDevice({ bitsPerSecond: 0 }), /bitsPerSecond must be above 0/],
    ['no lag', ofDevice({ lagSeconds: undefined }), /devices\.1\.lagSeconds is wrong: it is missing/],
    ['an empty id', ofDevice({ id: '' }), /devices\.1\.id.*must not be empty/],
    ['two alike', ofDevice({ id: room().devices[0].id }), /Two devices have the id "device-0"/],
    ['a host that is nobody', { ...room(), host: 'x' }, /The host "x" is not among the devices/],
    ['a host that is no text', { ...room(), host: 3 }, /host must be the id of a device/],
    ['pairs that are no list', { ...room(), relayed: 'x' }, /relayed must be a list of pairs of ids/],
    ['three that cannot meet', ofPairs(['device-0', 'device-1', 'device-2']), /relayed\.0.*wrong/],
    ['a pair of numbers', ofPairs([1, 2]), /relayed\.0\.0.*id must be a text/],
    ['a pair with nobody', ofPairs(['device-1', 'x']), /"x" in relayed is not among the devices/],
    ['a pair of one', ofPairs(['device-1', 'device-1']), /pairs "device-1" with itself/],
    ['a pair with the host', { ...ofPairs(['device-1', 'device-2']), host: 'device-2' }, /relayed names the host/],
    ['too many pairs', ofPairs(...new Array(32_641).fill(['device-1', 'device-2'])), /at most 32640 entries/],
  ];
  test.each(bad)('%s is refused in one sentence that names the field', (_, problem, sentence) => {
    expect(() => parseSplitProblem(problem)).toThrow(ProblemError);
    expect(() => parseSplitProblem(problem)).toThrow(sentence);
  });
});

describe('tabloom plan on it', () => {
  test('--json: exactly the fields of the form, stages in order from the embeddings to the head', async () => {
    const { code, out, problem } = await plan(room(), ['--policy', 'split', '--json']);
    expect({ code, problem }).toEqual({ code: 0, problem: '' });
    const answer = JSON.parse(out);
    expect(Object.keys(answer)).toEqual([
      'policy',
      'feasible',
      'latencySeconds',
      'lowerBoundSeconds',
      'solveMs',
      'microBatches',
      'windowRule',
      'stages',
    ]);
    expect(answer).toMatchObject({ policy: 'split', feasible: true });
    for (const stage of answer.stages)
      expect(Object.keys(stage)).toEqual([
        'device',
        'from',
        'to',
        'window',
        'forwardSeconds',
        'backwardSeconds',
        'memoryBytes',
      ]);
    const ends = answer.stages.map(({ to }: { to: number }) => to);
    expect(answer.stages.map(({ from }: { from: number }) => from)).toEqual([0, ...ends.slice(0, -1)]);
    expect(ends.at(-1)).toBe(6);
  });

  test('for people: a line for each stage', async () => {
    const { code, out } = await plan(room(), []);
    expect(code).toBe(0);
    expect(out).toMatch(/^policy split, [\d.]+ ms\nlatency \S+ s, lower bound \S+ s \(gap \S+ %\)\n\d+ micro-batch/);
    expect(out).toMatch(/\ndevice +units +window +forward s +backward s +memory MB\n/);
    expect(out).toContain('0 to ');
  });

  test('nobody can hold the head: no plan, exit code 1, and the reason says so', async () => {
    const problem = room();
    const devices = problem.devices.map((d) => ({ ...d, memory: { ...d.memory, headBytes: 1e12 } }));
    const { code, out } = await plan({ ...problem, devices }, ['--policy', 'split', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ policy: 'split', feasible: false });
    expect(JSON.parse(out).reason).toMatch(
      /^no device's memory can hold the head \(1.0 TB with one sample's work\), not even alone/,
    );
  });

  test('any other policy is refused', async () => {
    const single = await plan(room(), ['--policy', 'single']);
    expect(single).toMatchObject({ code: 2, out: '' });
    expect(single.problem).toMatch(/^tabloom: The problem says what single units .+ --policy split .+\n$/);
  });
});
