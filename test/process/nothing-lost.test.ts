import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openServer } from '../../signaling/cli/serve-command.ts';
import { keptModels } from '../../worker/files/cached-source.ts';
import { fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { fileUntil, TabloomProcess, TINY_MODEL } from './tabloom-process.ts';

/** A training that is broken off, in every way in which a process can be, and what is left of it. */

const ROUNDS = 300;
/** Of one try. */
let folder: string;
let table: string;
async function unpack(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-kept-'));
  table = join(folder, 'films.csv');
  const rows = Array.from({ length: 60 }, (_, i) => `film ${i} was ${i % 2 ? 'good' : 'bad'},${i % 2 ? 'yes' : 'no'}`);
  await writeFile(table, ['review,liked', ...rows].join('\n'));
}
const pack = (): Promise<void> => rm(folder, { recursive: true, maxRetries: 9 });
beforeEach(unpack);
afterEach(pack);
const at = (name: string): string => join(folder, name);

const alone = ['--model', TINY_MODEL, '--devices', '0', '--port', '0', '--json'];
const fresh = (name: string, rounds = ROUNDS): string[] => [
  ...['demo', ...alone, '--train', table, '--text', 'review', '--label', 'liked', '--samples', '8', '--tokens', '32'],
  ...['--rounds', String(rounds), '--out', at(name), '--log', at(`${name}.jsonl`)],
];

interface Line {
  readonly type: string;
  readonly report?: { readonly round: number; readonly loss: number };
}
const linesOf = (log: Buffer | string): Line[] =>
  String(log)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const roundsOf = (log: Buffer | string): number =>
  String(log)
    .split('\n')
    .filter((line) => line.startsWith('{"type":"round"')).length;
const result = (out: string): { losses: number[] } => JSON.parse(out) as { losses: number[] };

/** The words after "Go on with:", as a shell would take them; no path here has a quote in it. */
function command(said: string): string[] {
  const [, typed] = /Go on with: npm run -s tabloom -- (.*)$/m.exec(said) ?? [];
  if (typed === undefined) throw new Error(`It does not say how to go on: ${said}`);
  return typed.trim().split(' ');
}

let straight: number[];
beforeAll(async () => {
  await unpack();
  const { code, out, err } = await new TabloomProcess(fresh('straight')).ended;
  expect([code, err]).toEqual([0, expect.any(String)]);
  straight = result(out).losses;
  // Everything is written, so that nobody needs what was kept on the way.
  expect((await readdir(at('straight'))).filter((name) => name.startsWith('unfinished'))).toEqual([]);
  await pack();
});

describe('a demo that is broken off in the middle', () => {
  const fault = (what: string): string => `process.on('SIGUSR2', () => { ${what} });`;
  type Break = readonly [string, NodeJS.Signals, number, string, string | undefined];

  /** Breaks a demo off after some rounds and looks at what it left; the words to go on with, and the name of what it wrote. */
  async function brokenOff([, signal, code, why, preload]: Break): Promise<{ name: string; resumed: string[] }> {
    const name = `${signal}-${why.replace(/\W/g, '')}`;
    const broken = new TabloomProcess(fresh(name), preload === undefined ? {} : { preload });
    await fileUntil(at(`${name}.jsonl`), (log) => roundsOf(log) >= 5);
    broken.child.kill(signal);
    const ended = await broken.ended;
    expect([ended.code, ended.out]).toEqual([code, '']);
    expect(ended.err).toContain(why);
    const [, rounds] = /The (\d+) rounds so far are in /.exec(ended.err) ?? [];
    expect(Number(rounds)).toBeGreaterThanOrEqual(5);
    const kept = at(`${name}/unfinished.safetensors`);
    expect((await readdir(at(name))).sort()).toEqual(['unfinished.safetensors', 'unfinished.safetensors.key']);
    if (process.platform !== 'win32')
      for (const path of [kept, `${kept}.key`, at(`${name}.jsonl`)])
        expect((await stat(path)).mode & 0o777).toBe(0o600);
    return { name, resumed: command(ended.err) };
  }

  it.each<Break>([
    ['Ctrl-C', 'SIGINT', 130, 'Stopped.', undefined],
    ['an error that nobody caught', 'SIGUSR2', 70, 'a throw', fault("throw new Error('a throw')")],
  ])('%s: what was trained is on disk, and it goes on as if nothing had been', async (...of) => {
    const { name, resumed } = await brokenOff(of);
    const again = await new TabloomProcess(resumed).ended;
    expect([again.code, again.err]).toEqual([0, expect.any(String)]);
    expect(result(again.out).losses).toEqual(straight);
    expect((await readdir(at(name))).sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      expect.stringMatching(/json$/),
    ]);
    const log = linesOf(await readFile(at(`${name}.jsonl`)));
    expect(log.filter(({ type }) => type === 'round').map(({ report }) => report?.loss)).toEqual(straight);
    expect(log.filter(({ type }) => type === 'resumed')).toHaveLength(1);
  });

  it.each<Break>([
    ['a request to end', 'SIGTERM', 143, 'Stopped.', undefined],
    ['a closed terminal', 'SIGHUP', 129, 'Stopped.', undefined],
    [
      'a rejection that nobody handled',
      'SIGUSR2',
      70,
      'a rejection',
      fault("Promise.reject(new Error('a rejection'))"),
    ],
  ])('%s: what was trained is on disk, with the way to go on', async (...of) => {
    const { name, resumed } = await brokenOff(of);
    expect(resumed).toEqual(expect.arrayContaining(['--resume', at(`${name}/unfinished.safetensors`)]));
  });

  it('its log can be read to the last line after SIGKILL', async () => {
    const broken = new TabloomProcess(fresh('SIGKILL'));
    const log = at('SIGKILL.jsonl');
    await fileUntil(log, (content) => roundsOf(content) >= 3);
    broken.child.kill('SIGKILL');
    await broken.ended;
    const types = linesOf(await readFile(log)).map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['options', 'data', 'session']);
    expect(types.filter((type) => type === 'round').length).toBeGreaterThanOrEqual(3);
  });

  it('before its first round has nothing to go on with, and says no more than that it stopped', async () => {
    const broken = new TabloomProcess(fresh('early'));
    await broken.until((said) => said.includes('The page is at'));
    broken.child.kill('SIGTERM');
    const { code, err } = await broken.ended;
    expect([code, err.trimEnd().split('\n').at(-1)]).toEqual([143, '  Stopped.']);
    expect(await readdir(at('early'))).toEqual([]);
  });
});

it('a model at a revision with a slash is kept, broken off, and gone on with from what is kept', async () => {
  const revision = at('hub/me/tiny/resolve/feature/tea');
  await cp(TINY_MODEL, revision, { recursive: true });
  const hub = await openServer({
    ...{ port: 0, host: '127.0.0.1', hub: at('hub'), model: null, ice: [] },
    log: () => {},
  });
  try {
    const args = fresh('branch').filter((word) => word !== '--model' && word !== TINY_MODEL);
    const there = ['--hub', `http://127.0.0.1:${hub.port}/hub`, '--cache', at('cache')];
    const broken = new TabloomProcess([...args, ...there, '--model', 'me/tiny', '--revision', 'feature/tea']);
    await fileUntil(at('branch.jsonl'), (log) => roundsOf(log) >= 5);
    broken.child.kill('SIGTERM');
    const ended = await broken.ended;
    expect(ended.err).toContain('Its tokenizer is byte-level BPE');
    expect(await keptModels(fileChunkStore(at('cache')))).toMatchObject([{ name: 'hub/me/tiny' }]);
    const again = await new TabloomProcess(command(ended.err)).ended;
    expect([again.code, again.err]).toEqual([0, expect.any(String)]);
    expect(result(again.out).losses).toEqual(straight);
    const config = JSON.parse(await readFile(at('branch/adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ base_model_name_or_path: 'me/tiny', revision: 'feature/tea' });
  } finally {
    await hub.close();
  }
});

describe('a disk that is full', () => {
  it('keeps what could be written, says what is missing, and the rest is made later without training again', async () => {
    // Room for adapter and checkpoints, and not for a whole model.
    const limited = new TabloomProcess([...fresh('full', 12), '--export-as', 'merged'], { fileKilobytes: 48 });
    const { code, out, err } = await limited.ended;
    expect([code, err]).toEqual([1, expect.stringContaining('tabloom: Missing: the merged model (model.safetensors')]);
    expect(err).toContain(`In ${at('full')}: the adapter. The 12 rounds so far are in ${at('full')}`);
    expect(existsSync(at('full/adapter_model.safetensors'))).toBe(true);
    expect(await readdir(at('full/merged'))).toEqual([]);
    expect(result(out).losses).toHaveLength(12);

    const again = await new TabloomProcess(command(err)).ended;
    expect([again.code, again.err]).toEqual([0, expect.any(String)]);
    expect(result(again.out).losses).toEqual(result(out).losses);
    expect(await readdir(at('full/merged'))).toContain('model.safetensors');
  });

  it('trains on where checkpoints cannot be written, and says so', async () => {
    const limited = new TabloomProcess(fresh('tight', 12), { fileKilobytes: 6 });
    const { code, err } = await limited.ended;
    expect(code).toBe(1);
    expect(err).toContain('The checkpoint could not be written (EFBIG: file too large, write). Training goes on.');
    expect(err).toContain('The log could not be written (EFBIG: file too large, write). Training goes on.');
    expect(err).toMatch(/Missing: the adapter \(adapter_model.safetensors could not be written \(EFBIG/);
    expect(err).toContain('12 rounds had been trained, and nothing of them could be kept in');
    expect((await readdir(at('tight'))).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
  });
});

describe('what is asked for', () => {
  it('is all made but for what cannot be: the adapter first', async () => {
    const run = new TabloomProcess([...fresh('some'), '--export-as', 'onnx,merged']);
    await fileUntil(at('some.jsonl'), (log) => roundsOf(log) >= 1);
    await rmdir(at('some/merged'));
    await writeFile(at('some/merged'), 'in the way');
    const { code, out, err } = await run.ended;
    expect([code, err]).toEqual([1, expect.stringContaining('tabloom: Missing: the merged model (')]);
    expect(err).toContain(`In ${at('some')}: the adapter and the ONNX model.`);
    expect(existsSync(at('some/adapter_model.safetensors'))).toBe(true);
    expect(existsSync(at('some/onnx/onnx/model.onnx'))).toBe(true);
    expect(JSON.parse(out)).toMatchObject({ missing: [{ form: 'merged' }] });
  });

  it.each<[string, string[], string]>([
    ['a folder that is a file', ['--out', 'films.csv/adapter'], 'the folder for --out'],
    ['a folder where the adapter belongs', ['--out', 'taken'], 'is a folder; --out needs a file there'],
    ['a log that is a folder', ['--log', '.'], 'is a folder; --log needs a file there'],
    ['a checkpoint in a file', ['--checkpoint', 'films.csv/kept'], 'the folder for --checkpoint'],
  ])('is refused before anything is trained: %s', async (_, [option = '', path = ''], sentence) => {
    await mkdir(at('taken/adapter_model.safetensors'), { recursive: true });
    const { code, out, err } = await new TabloomProcess([...fresh('never'), option, at(path)]).ended;
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^tabloom: [^\n]*\n$/);
    expect(err).toContain(sentence);
  });
});
