import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { simulateCommand } from '../../signaling/cli/simulate-command.ts';

const scratch = mkdtempSync(join(tmpdir(), 'simulate-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const RUN = `const { simulateCommand } = await import('./signaling/cli/simulate-command.ts');
process.exitCode = await simulateCommand(process.argv.slice(1));`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command here, and takes what it writes. */
async function run(args: readonly string[]): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += text;
      return true;
    }),
  );
  try {
    return { code: await simulateCommand([...args]), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs the command in a process of its own; `onStderr` sees all of stderr so far. */
async function runApart(
  args: readonly string[],
  onStderr: (soFar: string, interrupt: () => void) => void,
): Promise<Omit<Ended, 'stdout'>> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', RUN, '--', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr(stderr, () => child.kill('SIGINT'));
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

const QUICK = ['--policies', 'single,crunch', '--draws', '2'];

describe('tabloom simulate', () => {
  test('writes a report and a plot per axis, the same for the same seed, others for another', async () => {
    const files = (folder: string) => readdirSync(folder).sort();
    const folders = ['a', 'b', 'c'].map((name) => join(scratch, name));
    const seeds = ['4', '4', '5'];
    for (const [index, out] of folders.entries()) {
      const args = [...QUICK, '--axes', 'blocks,bandwidth', '--seed', seeds[index]!, '--out', out];
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'bandwidth: 14 draws\nblocks: 12 draws\n' });
      expect(stdout).toContain('| bandwidth | crunch | single |');
      expect(files(out)).toEqual(['base-bandwidth.svg', 'base-blocks.svg', 'base.json']);
    }
    const report = (folder: string) => readFileSync(join(folder, 'base.json'), 'utf8');
    expect(report(folders[1]!)).toBe(report(folders[0]!));
    expect(report(folders[2]!)).not.toBe(report(folders[0]!));
    expect(JSON.parse(report(folders[0]!))).toMatchObject({
      scenario: 'base',
      parameters: { model: 'roberta-base', tokens: 40.7 },
      seeds: { first: 4, count: 2 },
      policies: ['crunch', 'single'],
      sweeps: [{ axis: 'bandwidth' }, { axis: 'blocks' }],
    });
  });

  test('Ctrl-C keeps what is complete and leaves no partial file', async () => {
    const out = join(scratch, 'interrupted');
    const { code, stderr } = await runApart(
      ['--policies', 'offload', '--draws', '60', '--axes', 'blocks,compute', '--out', out],
      (soFar, interrupt) => {
        if (soFar.endsWith('draws\n')) interrupt();
      },
    );
    expect(stderr).toContain('1 of 2 axes are complete');
    expect(code).toBe(130);
    expect(readdirSync(out).sort()).toEqual(['base-compute.svg', 'base.json']);
    expect(JSON.parse(readFileSync(join(out, 'base.json'), 'utf8')).sweeps).toHaveLength(1);
  });

  test('help names every option', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const option of ['--scenario', '--axes', '--policies', '--draws', '--seed', '--out', '--memory-spread'])
      expect(stdout).toContain(option);
  });

  test.each([
    [['--foo'], "Unknown option '--foo'"],
    [['--draws', '1'], '--draws takes a number from 2 to 1000, not "1"'],
    [['--rank', '2.5'], '--rank takes a whole number from 1 to 256, not "2.5"'],
    [['--bandwidth-mhz', 'NaN'], '--bandwidth-mhz takes a number from 0.001 to 100000, not "NaN"'],
    [['--axes', 'devices,weather'], '--axes knows devices, bandwidth, memory, compute, blocks, server, not "weather"'],
    [['--seed'], "Option '--seed <value>' argument missing"],
    [['more'], "Unexpected argument 'more'"],
  ])('%j is refused with one sentence and exit code 2', async (args, sentence) => {
    expect(await run(args)).toEqual({ code: 2, stdout: '', stderr: `tabloom simulate: ${sentence}; see --help.\n` });
  });

  test('a folder that cannot be made is said in one sentence', async () => {
    const file = join(scratch, 'file');
    writeFileSync(file, '');
    const { code, stderr } = await run([...QUICK, '--axes', 'blocks', '--out', join(file, 'below')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/the results could not be written: E[A-Z]+/);
  });
});
