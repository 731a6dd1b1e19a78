import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHeader } from '../../worker/model/safetensors.ts';
import { needs } from '../needs.ts';
import { GPU } from '../webgpu/gpu-need.ts';
import { goldenPath } from './golden-cases.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tabloom-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly problem: string;
}

/** The command as a person runs it. */
async function verify(...argv: string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'signaling/tabloom.ts', 'verify', ...argv], {
    cwd: PROJECT,
  });
  const text = { out: '', problem: '' };
  child.stdout.on('data', (chunk) => {
    text.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.problem += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...text };
}

const ReportSchema = v.object({
  ok: v.boolean(),
  files: v.array(
    v.object({
      file: v.string(),
      engines: v.array(
        v.union([
          v.object({ engine: v.string(), status: v.literal('absent'), reason: v.pipe(v.string(), v.minLength(5)) }),
          v.object({
            engine: v.string(),
            status: v.literal('checked'),
            ok: v.boolean(),
            logits: v.number(),
            loss: v.number(),
            gradients: v.record(v.string(), v.number()),
            lossCurve: v.number(),
            dropout: v.number(),
            split: v.optional(v.object({ difference: v.number(), limit: v.number() })),
            hiddenStates: v.optional(
              v.object({ lossCurve: v.number(), gradient: v.number(), bytes: v.number(), bytesIn32: v.number() }),
            ),
            limits: v.object({
              logits: v.number(),
              gradients: v.record(v.string(), v.number()),
              lossCurve: v.number(),
            }),
          }),
        ]),
      ),
    }),
  ),
});

/** A golden file with one value changed. */
function spoiled(tensor: string, to: number): string {
  const bytes = new Uint8Array(readFileSync(goldenPath('regression')));
  const entry = parseHeader(bytes, bytes.length).tensors.get(tensor)!;
  new DataView(bytes.buffer).setFloat32(entry.start, to, true);
  const path = join(folder, `${tensor}.safetensors`);
  writeFileSync(path, bytes);
  return path;
}

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('tabloom verify', () => {
  let found: Ended;
  beforeAll(async () => {
    found = await verify(goldenPath('regression'), '--json');
  });
  const engines = () => v.parse(ReportSchema, JSON.parse(found.out)).files[0]!.engines;

  it('finds every engine within the limits and says how close each is', async () => {
    expect(found.code, found.problem).toBe(0);
    expect(v.parse(ReportSchema, JSON.parse(found.out)).ok).toBe(true);
    const wasm = engines().find(({ engine }) => engine === 'onnx-wasm')!;
    if (wasm.status !== 'checked') throw new Error('WASM must be there.');
    expect(Object.keys(wasm.gradients)).toHaveLength(16);
    expect(wasm.lossCurve).toBeLessThan(1e-4);
    expect(wasm.dropout).toBeLessThan(1e-4);
    expect(wasm.limits.lossCurve).toBe(1e-4);
    expect(engines().find(({ engine }) => engine === 'reference')).toMatchObject({ status: 'checked', ok: true });
    expect(engines().map(({ engine }) => engine)).toEqual(expect.arrayContaining(['webgpu', 'webgpu-f16']));
    expect(engines().find(({ engine }) => engine === 'onnx-webgpu')).toMatchObject({ status: 'absent' });
  });

  it('checks WebGPU at both precisions where there is a device', needs(GPU), () => {
    expect(engines().filter(({ engine }) => engine.startsWith('webgpu'))).toEqual([
      expect.objectContaining({ engine: 'webgpu', status: 'checked', ok: true }),
      expect.objectContaining({ engine: 'webgpu-f16', status: 'checked', ok: true }),
    ]);
    // What rounding alone does is measured in the same run.
    const half = engines().find(({ engine }) => engine === 'webgpu-f16');
    expect(half?.status === 'checked' ? half.limits.lossCurve : 0).toBeGreaterThan(1e-3);
  });

  it('holds stages against PyTorch, and against the whole model', async () => {
    const { code, out, problem } = await verify(
      goldenPath('regression'),
      '--split',
      '0,1',
      '--hidden-states',
      'f16',
      '--json',
    );
    expect(code, problem).toBe(0);
    const found = v.parse(ReportSchema, JSON.parse(out)).files[0]!.engines;
    const split = (id: string) => {
      const engine = found.find((one) => one.engine === id);
      return engine?.status === 'checked' ? engine.split : undefined;
    };
    expect(split('onnx-wasm')).toEqual({ difference: 0, limit: 0 });
    expect(split('reference')?.limit).toBe(1e-6);
    expect(split('reference')?.difference).toBeGreaterThan(0);
    for (const engine of found) if (engine.status === 'checked') expect(engine.ok, engine.engine).toBe(true);
    // Hidden states in 16 bits are off by the rounding, the same on every engine of full precision, and are half of the bytes.
    for (const id of ['onnx-wasm', 'reference']) {
      const engine = found.find((one) => one.engine === id);
      const cost = engine?.status === 'checked' ? engine.hiddenStates : undefined;
      expect(cost?.bytes).toBeGreaterThan(0);
      expect(cost?.bytesIn32).toBe(2 * (cost?.bytes ?? 0));
      for (const off of [cost?.lossCurve, cost?.gradient]) {
        expect(off).toBeGreaterThan(1e-6);
        expect(off).toBeLessThan(5e-3);
      }
    }
    expect(engines().every((engine) => engine.status !== 'checked' || engine.split === undefined)).toBe(true);
  });

  it('ends with 1 and names the gradient that is off', async () => {
    const { code, out } = await verify(spoiled('grad0.lora.layer.1.output.dense.B', 9));
    expect(code).toBe(1);
    expect(out).toMatch(/onnx-wasm .*NOT within the limits/);
    expect(out).toMatch(/gradient of output\.dense\.B +\S+ +above 0\.0001/);
    expect(out).not.toMatch(/gradient of query\.A +\S+ +above/);
  });

  it.each([
    ['a file that is not there', () => [join(folder, 'nothing')], /There is no file/],
    ['a folder', () => [folder], /cannot be read/],
    ['a text', () => [file('text', 'This is not it.')], /safetensors/],
    ['half a file', () => [file('half', readFileSync(goldenPath('regression')).subarray(0, 100_000))], /truncated/],
    ['an empty file', () => [file('empty', '')], /ends after 0 bytes/],
    ['a model', () => [join(PROJECT, 'models/roberta-mini/model.safetensors')], /not a golden file/],
    ['no file', () => [], /A golden file to check against is missing/],
    ['a cut that is no layer', () => [goldenPath('regression'), '--split', '2,x'], /--split takes layers .* not "2,x"/],
    ['hidden states of nothing', () => [goldenPath('regression'), '--hidden-states', 'f16'], /begin with --split/],
    [
      'hidden states in 8 bits',
      () => [goldenPath('regression'), '--split', '1', '--hidden-states', 'f8'],
      /takes f32 or f16, not "f8"/,
    ],
    ['an unknown option', () => [goldenPath('regression'), '--fast'], /--fast/],
  ])('ends with 2 and one sentence for %s', async (_, argv, sentence) => {
    const { code, out, problem } = await verify(...argv());
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(problem).toMatch(sentence);
    expect(problem.trim().split('\n')).toHaveLength(1);
  });

  it('explains itself', async () => {
    const { code, out } = await verify('--help');
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: tabloom verify FILE/);
  });
});
