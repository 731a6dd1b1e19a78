import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkGolden, FULL_LIMIT, relativeError } from '../../../worker/check/golden-check.ts';
import { readGoldenFile } from '../../../worker/check/golden-file.ts';
import { lossAndGradient } from '../../../worker/check/loss-and-gradient.ts';
import { verifyEngine } from '../../../worker/check/verify-engine.ts';
import { createReferenceEngine } from '../../../worker/engine/reference/engine.ts';
import { createWebGpuEngine } from '../../../worker/engine/webgpu/engine.ts';

const STORAGES = { webgpu: 'f32', 'webgpu-f16': 'f16', 'webgpu-int8': 'int8' } as const;
type EngineId = keyof typeof STORAGES;

export interface GoldenResult {
  readonly file: string;
  readonly engine: EngineId;
  readonly ok: boolean;
  /** Largest error of the gradients over the largest of their tensor: from PyTorch, of `webgpu-int8` from the plain reference with the same codes. */
  readonly gradient: number;
  /** The same of the loss before each AdamW step, from PyTorch's. */
  readonly lossCurve: number;
  readonly problem: string | null;
}

/** Every golden file of a folder on every storage of the WebGPU engine. */
export async function checkGoldenFiles(
  folder: string,
  told: (result: GoldenResult) => void,
): Promise<readonly GoldenResult[]> {
  const results: GoldenResult[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.safetensors')))
    for (const engine of ['webgpu', 'webgpu-f16', 'webgpu-int8'] as const) {
      const bytes = readFileSync(join(folder, file));
      const found = await check(bytes, engine).catch((error: unknown) => ({
        ...{ ok: false, gradient: Number.NaN, lossCurve: Number.NaN },
        problem: error instanceof Error ? error.message : String(error),
      }));
      const result = { file, engine, problem: null, ...found };
      results.push(result);
      told(result);
    }
  return results;
}

async function check(bytes: Uint8Array, id: EngineId): Promise<Pick<GoldenResult, 'ok' | 'gradient' | 'lossCurve'>> {
  const golden = await readGoldenFile(bytes);
  const request = { ...golden, withDropout: true, weightStorage: STORAGES[id] };
  const engine = await createWebGpuEngine(request);
  try {
    if (id === 'webgpu-int8') {
      // What the codes cost is a session's choice; that they are what was multiplied with is checked.
      const { lossCurve } = await checkGolden(engine, golden);
      const reference = await createReferenceEngine(request);
      await engine.setParameters(golden.parameters);
      await reference.setParameters(golden.parameters);
      const [got, want] = [await lossAndGradient(engine, golden.batch), await lossAndGradient(reference, golden.batch)];
      const gradient = relativeError(got.gradient, want.gradient);
      return {
        ok: gradient <= FULL_LIMIT && relativeError(got.logits, want.logits) <= FULL_LIMIT,
        gradient,
        lossCurve,
      };
    }
    const { ok, errors } = await verifyEngine(engine, golden, id === 'webgpu' ? 'single' : 'half');
    return { ok, gradient: Math.max(...errors.gradients.values()), lossCurve: errors.lossCurve };
  } finally {
    await engine.dispose();
  }
}
