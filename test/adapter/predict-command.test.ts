import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { predictCommand } from '../../signaling/cli/predict-command.ts';
import { probabilities } from '../../signaling/protocol/scores.ts';
import { readTaskFile, writeTaskFile } from '../../worker/adapter/task-file.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from '../host/node-host.ts';

let folder: string;
const at = (name: string) => join(folder, name);

/** Logits of texts by the engine that is the oracle. */
async function reference(host: Host, texts: readonly string[]): Promise<Float32Array[]> {
  const { shape, lora } = await host.open(MINI_REQUEST);
  const weights = await modelFiles(openFileOrHttp, null, MINI_REQUEST.model, MINI_REQUEST.origin).weights();
  const engine = await createReferenceEngine({
    ...{ shape, lora, weights, labelCount: 2, weightStorage: 'f32', withDropout: false },
  });
  await engine.setParameters((await host.parameters()).values);
  const found: Float32Array[] = [];
  for (const text of texts)
    found.push(await evaluateBatch(engine, await host.textBatch(text, null), 1, async () => {}));
  return found;
}

const TEXTS = ['a fine film, with heart', 'dull', 'not bad at all'];
let expected: Float32Array[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-predict-'));
  const host = new Host(openFileOrHttp);
  expected = await reference(host, TEXTS);
  for (const { name, bytes } of await host.exportAdapter('last')) await writeFile(at(name), bytes);
});
afterAll(() => rm(folder, { recursive: true }));

describe('predict', () => {
  it('answers every row in its order, as the reference engine does', async () => {
    await writeFile(at('in.tsv'), `id\treview\n1\t${TEXTS[0]}\n2\t${TEXTS[1]}\n3\t\n4\t${TEXTS[2]}\n`);
    expect(await predictCommand(['--adapter', folder, '--file', at('in.tsv'), '--out', at('deep/out.csv')])).toBe(0);
    const lines = (await readFile(at('deep/out.csv'), 'utf8')).split('\n');
    expect([lines[0], lines[3], lines[5], lines.length]).toEqual([
      'label,p_negative,p_positive,left_out',
      ',,,an empty text',
      '',
      6,
    ]);
    for (const [i, row] of [1, 2, 4].entries()) {
      const [label, ...shares] = lines[row]!.split(',');
      const want = probabilities('classification', expected[i]!);
      expect(label).toBe(want[0]! > want[1]! ? 'negative' : 'positive');
      for (const [k, share] of want.entries()) expect(Number(shares[k])).toBeCloseTo(share, 4);
    }
  });

  it('reads a file of texts alone, with commas in them', async () => {
    await writeFile(at('one.csv'), `text\n"${TEXTS[0]}"\n${TEXTS[1]}\n`);
    expect(await predictCommand(['--adapter', folder, '--file', at('one.csv'), '--out', at('one-out.csv')])).toBe(0);
    const lines = (await readFile(at('one-out.csv'), 'utf8')).split('\n');
    expect(lines).toHaveLength(4);
    expect(Number(lines[1]!.split(',')[1])).toBeCloseTo(probabilities('classification', expected[0]!)[0]!, 4);
  });

  it.each<[string, () => string[], string]>([
    ['no file', () => ['--adapter', folder], 'predict needs --adapter FOLDER, --file FILE and --out FILE.csv.'],
    [
      'no such adapter',
      () => ['--adapter', at('none'), '--file', at('in.tsv'), '--out', at('o')],
      'There is no folder',
    ],
    ['no such column', () => [...ask(), '--text', 'body'], 'has no column "body"; it has id, review.'],
    ['its own file as the answers', () => [...ask(), '--out', at('in.tsv')], 'would overwrite --file'],
    [
      'an unknown model',
      () => [...ask(), '--model', '../x'],
      'neither a folder with a model’s files nor a repository'.replace('’', "'"),
    ],
  ])('says in a sentence what is wrong: %s', async (_, argv, sentence) => {
    await writeFile(at('in.tsv'), 'id\treview\n1\tgood\n');
    await expect(predictCommand(argv())).rejects.toThrow(sentence);
  });

  it.each([
    ['a folder to write to', { '--out': '.' }, 'is a folder; --out names the file of answers.'],
    ['a folder to read', { '--file': '.' }, 'is a folder, not a table.'],
    ['no file to read', { '--file': 'none.csv' }, 'There is no file'],
  ])('names what is wrong with a path: %s', async (_, paths, sentence) => {
    await writeFile(at('in.tsv'), 'id\treview\n1\tgood\n');
    const more = Object.entries(paths).flatMap(([flag, path]) => [flag, at(path)]);
    await expect(predictCommand([...ask(), ...more])).rejects.toThrow(sentence);
  });

  it('answers with the revision that the adapter was trained on; what of it is not used is said', async () => {
    const files = ['adapter_model.safetensors', 'tabloom.json'];
    const config = JSON.parse(await readFile(at('adapter_config.json'), 'utf8'));
    const copy = async (name: string, text: string) => {
      await mkdir(at(name), { recursive: true });
      for (const file of files) await copyFile(at(file), at(`${name}/${file}`));
      await writeFile(at(`${name}/adapter_config.json`), text);
      return ['--adapter', at(name), '--file', at('in.tsv'), '--out', at(`${name}/out.csv`)];
    };
    await writeFile(at('in.tsv'), 'id\treview\n1\tgood\n');
    const base = { ...config, base_model_name_or_path: 'me/mini', revision: 'feature/tea', some_day: 1 };
    const argv = await copy('branch', JSON.stringify(base));
    const model = at('hub/me/mini/resolve/feature/tea');
    await cp(new URL('../../models/roberta-mini', import.meta.url), model, { recursive: true });
    const said: string[] = [];
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    expect(await predictCommand([...argv, '--hub', at('hub')])).toBe(0);
    spy.mockRestore();
    expect(said[0]).toContain('Its tokenizer is byte-level BPE with 8,192 tokens');
    expect(said.join('')).toContain('a key that is not known here: "some_day"');
    expect(await readFile(at('branch/out.csv'), 'utf8')).toMatch(/^label,.*\n(negative|positive),/);
    await expect(predictCommand([...argv, '--hub', at('hub'), '--revision', 'main'])).rejects.toThrow('main');
    await expect(predictCommand(await copy('torn', '{"peft_type":'))).rejects.toThrow(
      'adapter_config.json is not JSON',
    );
  });

  it('leaves no half of the answers where a file cannot be written to its end', async () => {
    await writeFile(at('in.tsv'), 'id\treview\n1\tgood\n');
    await writeFile(at('out.csv'), 'of before');
    await mkdir(at('out.csv.part'), { recursive: true });
    await expect(predictCommand(ask())).rejects.toThrow('EISDIR');
    expect(await readFile(at('out.csv'), 'utf8')).toBe('of before');
    await rm(at('out.csv.part'), { recursive: true });
  });

  it('takes a file of outputs as it was written, and nothing else', () => {
    const file = writeTaskFile({
      task: {
        ...{ id: 'own', title: 'x', kind: 'multi-label', labelCount: 2, classNames: ['a', 'b'], metric: 'f1-micro' },
        ...{ trainExamples: 1, devExamples: 1, roundTokens: 8 },
      },
      training: { ...MINI_REQUEST.training, threshold: 0.3 },
    });
    expect(readTaskFile(file)).toEqual({ kind: 'multi-label', classNames: ['a', 'b'], threshold: 0.3, maxTokens: 64 });
    for (const wrong of ['', '{}', '[]', '{"kind":"multi-label","classNames":["a"],"threshold":2,"maxTokens":64}'])
      expect(() => readTaskFile(new TextEncoder().encode(wrong))).toThrow('export the adapter again');
  });
});

const ask = () => ['--adapter', folder, '--file', at('in.tsv'), '--out', at('out.csv')];
