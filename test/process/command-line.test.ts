import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../signaling/commands.ts';

const PROGRAM = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-cli-'));
});
afterAll(() => rm(folder, { recursive: true, maxRetries: 9 }));

function tabloom(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], { timeout: 60_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const device = (id: string, seconds: number[], limit = 2e9) => ({
  id,
  computeSeconds: seconds,
  memoryBytes: [1e9, 2e9],
  memoryLimitBytes: limit,
  bitsPerSecondPerHz: 2,
});
const problem = {
  blocks: [{ uploadBits: 1e6 }, { uploadBits: 1e6 }],
  devices: [device('a', [1, 2]), device('b', [1.5, 1.9])],
  bandwidthHz: 1e6,
};

describe('tabloom', () => {
  it.each(Object.keys(COMMANDS))('%s explains itself', async (command) => {
    const { code, out } = await tabloom(command, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`tabloom ${command}`);
  });

  it('plans a problem file: a plan, its latency and its certificate', async () => {
    const path = await file('problem.json', problem);
    const { code, out } = await tabloom('plan', path, '--policy', 'crunch', '--json');
    expect(code).toBe(0);
    // Each block takes 1e6 bits / (0.5e6 Hz * 2) = 1 s to send. b is the quicker one for depth 2: max(1 + 1, 1.9 + 1) = 2.9 s.
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ policy: 'crunch', feasible: true });
    expect(answer.latencySeconds).toBeCloseTo(2.9, 9);
    expect(answer.lowerBoundSeconds).toBeLessThanOrEqual(answer.latencySeconds);
    expect(answer.assignments).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ device: 'a', depth: 1, bandwidthHz: 5e5, computeSeconds: 1, uploadSeconds: 1 }),
        expect.objectContaining({ device: 'b', depth: 2, bandwidthHz: 5e5, computeSeconds: 1.9, uploadSeconds: 1 }),
      ]),
    );
  });

  it('names the depth that nobody can hold', async () => {
    const tight = { ...problem, devices: problem.devices.map((d) => ({ ...d, memoryLimitBytes: 1.5e9 })) };
    const { code, out } = await tabloom('plan', await file('tight.json', tight), '--policy', 'crunch', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ feasible: false, reason: expect.stringContaining('depth 2') });
  });

  it.each<[string, (path: string) => string[], string]>([
    ['an unknown command', () => ['weave'], 'There is no command "weave"'],
    ['a missing file', () => ['plan', 'absent.json'], 'There is no file "absent.json"'],
    ['a file that is not JSON', (path) => ['plan', path], 'not JSON'],
    ['an unknown policy', (path) => ['plan', path, '--policy', 'best'], '--policy must be one of'],
    ['an unknown option', (path) => ['plan', path, '--polcy', 'crunch'], "Unknown option '--polcy'"],
    ['an impossible number', () => ['demo', '--rounds', '-3'], '--rounds'],
    ['a task that does not exist', () => ['demo', '--task', 'weaving', '--port', '0'], 'There is no task "weaving"'],
    ['a link that is none', () => ['join', 'abc234'], 'is not a session link'],
    ['a server that is not there', () => ['join', 'http://127.0.0.1:9/#room=abc234'], 'No Tabloom server answers'],
    ['a folder that is not there', () => ['serve', '--port', '0', '--hub', 'nowhere'], 'There is no folder "nowhere"'],
  ])('answers %s with one sentence and exit code 2', async (_, args, sentence) => {
    const { code, err } = await tabloom(...args(await file('broken.json', '{ "blocks": ')));
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(sentence);
    expect(code).toBe(2);
  });
});
