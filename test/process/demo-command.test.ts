import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandError } from '../../signaling/cli/command-line.ts';
import { demoCommand } from '../../signaling/cli/demo/demo-command.ts';

/** The demo as a person runs it, each time in a process of its own. */

const PROGRAM = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
/** There is a file `KEYED.key`, and none of this name. */
const KEYED = join(tmpdir(), `tabloom-keyed-${process.pid}`);
const SMALL = ['--devices', '0', '--port', '0', '--samples', '8', '--tokens', '32', '--json'];
beforeAll(() => writeFile(`${KEYED}.key`, ''));
afterAll(() => rm(`${KEYED}.key`));
/** Of one try: what is there already is never written over. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-demo-'));
});
afterEach(() => rm(folder, { recursive: true, maxRetries: 9 }));
const at = (name: string): string => join(folder, name);

function demo(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, 'demo', ...args], { timeout: 200_000 });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, out, err })),
  );
  return { child, ended };
}

async function result(...args: string[]): Promise<{ losses: number[]; before: number; after: number; metric: string }> {
  const { code, out, err } = await demo(...args).ended;
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as { losses: number[]; before: number; after: number; metric: string };
}

async function sizeOf(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).size : 0;
}

describe('a demo that is killed', () => {
  it('goes on from its file, and its losses are those of the demo that was not', async () => {
    const args = [...SMALL, '--rounds', '14', '--dropout', '0.1'];
    const straight = await result(...args, '--out', at('straight'));

    const file = at('run.safetensors');
    const broken = demo(...args, '--out', at('broken'), '--checkpoint', file);
    // At the first sight of a checkpoint, which is in the middle of the next rounds.
    for await (const { filename } of watch(folder)) if (filename === 'run.safetensors') break;
    broken.child.kill('SIGKILL');
    await broken.ended;
    expect(await readdir(at('broken'))).toEqual([]);

    // What is killed leaves the key beside the checkpoint; somebody without it goes on in another room, with the same training.
    expect((await stat(`${file}.key`)).mode & 0o777).toBe(0o600);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { key, room }: { key: string; room: string } = JSON.parse(await readFile(`${file}.key`, 'utf8'));
    expect((await readFile(file)).includes(key)).toBe(false);
    await copyFile(file, at('given.safetensors'));
    const given = await demo(
      '--devices',
      '0',
      '--port',
      '0',
      '--json',
      '--resume',
      at('given.safetensors'),
      '--out',
      at('given'),
    ).ended;
    expect(given.err).toContain('came without its key, so training goes on in a new session');
    expect((JSON.parse(given.out) as { losses: number[] }).losses).toEqual(straight.losses);
    const other: { key: string; room: string } = JSON.parse(await readFile(at('given.safetensors.key'), 'utf8'));
    expect([other.key === key, other.room === room]).toEqual([false, false]);

    const log = at('run.jsonl');
    const resumed = ['--devices', '0', '--port', '0', '--json', '--resume', file, '--log', log];
    const whole = await result(...resumed, '--out', at('whole'), '--export-as', 'adapter,merged,onnx');
    expect(whole.losses).toEqual(straight.losses);
    expect(whole.after).toBe(straight.after);
    const tensors = 'adapter_model.safetensors';
    expect(await readFile(at(`whole/${tensors}`))).toEqual(await readFile(at(`straight/${tensors}`)));
    expect((await readdir(at('whole/merged'))).sort()).toContain('model.safetensors');
    expect(await sizeOf(at('whole/onnx/onnx/model.onnx'))).toBeGreaterThan(1e6);

    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
    const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.filter((type) => type === 'round')).toHaveLength(14);
    expect(types.filter((type) => type === 'score')).toHaveLength(2);
    for (const type of ['session', 'resumed', 'joined', 'ready', 'plan', 'phase']) expect(types).toContain(type);

    // Finished by now: nothing is trained, and the best adapter can still be had.
    const again = await result(...resumed, '--out', at('best'), '--best');
    expect(again.losses).toEqual(straight.losses);
    expect(await sizeOf(at(`best/${tensors}`))).toBeGreaterThan(1e5);
  });
});

describe('a table of one’s own', () => {
  it('is trained on, evaluated on another, and ends early', async () => {
    const good = ['fine', 'great', 'lovely', 'superb'];
    const bad = ['poor', 'awful', 'dull', 'broken'];
    const rows = (count: number) =>
      Array.from({ length: count }, (_, i) => `a ${(i % 2 ? good : bad)[i % 4]} film ${i},${i % 2 ? 'good' : 'bad'}`);
    await writeFile(at('train.csv'), ['review,verdict', ...rows(200), ',good'].join('\n'));
    await writeFile(at('dev.tsv'), ['review\tverdict', ...rows(40).map((row) => row.replace(',', '\t'))].join('\n'));
    const own = ['--train', at('train.csv'), '--dev', at('dev.tsv'), '--text', 'review', '--label', 'verdict'];
    const recipe = ['--rounds', '200', '--evaluate-every', '10', '--patience', '2', '--learning-rate', '0.005'];
    const { losses, after } = await result(...SMALL, ...own, ...recipe, '--out', at('own'), '--best');
    expect(after).toBeGreaterThan(0.9);
    expect(losses.length).toBeLessThan(200);
    const card = await readFile(at('own/README.md'), 'utf8');
    expect(card).toContain('# train.csv: a LoRA adapter for roberta-mini');
    expect(card).toContain('0 bad, 1 good');
    expect(card).toContain('Trained on one device with Tabloom.');

    const next = await result(...SMALL, ...own, '--rounds', '1', '--start', at('own'), '--out', at('next'));
    expect(next.before).toBeGreaterThan(0.9);
  });

  it.each<[string, string[], string]>([
    ['no such file', ['--train', 'absent.csv', '--text', 'a', '--label', 'b'], 'There is no file "absent.csv"'],
    ['a file that is no checkpoint', ['--resume', PROGRAM, '--port', '0'], 'This is no safetensors file'],
    ['an adapter that is none', ['--start', PROGRAM, '--port', '0', '--devices', '0'], 'adapter_model.safetensors'],
  ])('%s is answered with one sentence and exit code 2', async (_, args, sentence) => {
    const { code, err } = await demo(...args, '--json').ended;
    expect(err).toContain(sentence);
    expect(err.trim().split('\n').at(-1)).toMatch(/^tabloom: /);
    expect(code).toBe(2);
  });

  // In this process, which takes a tenth of the time: a CommandError is a sentence and exit code 2.
  it.each<[string, string[], string]>([
    ['no columns', ['--train', PROGRAM], '--train needs --text COLUMN and --label COLUMN'],
    ['a column without a table', ['--text', 'a'], '--text is about a table of one'],
    ['two tasks', ['--train', PROGRAM, '--task', 'sst2', '--text', 'a', '--label', 'b'], 'choose one'],
    ['patience without evaluations', ['--patience', '2'], 'say with --evaluate-every'],
    ['a form that does not exist', ['--export-as', 'adapter,pickle'], '--export-as must be one of'],
    ['another recipe for a run from a checkpoint', ['--resume', PROGRAM, '--rounds', '5'], 'leave out --rounds'],
    ['a checkpoint that would be written over', ['--checkpoint', PROGRAM], 'is there already'],
    ['a key that would be written over', ['--checkpoint', KEYED], 'the key of another session, is there already'],
  ])('%s is refused with one sentence', async (_, args, sentence) => {
    const refused: unknown = await demoCommand([...args, '--json']).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CommandError);
    expect(refused).toMatchObject({ message: expect.stringContaining(sentence) });
    expect(String(refused)).not.toContain('\n');
  });
});
