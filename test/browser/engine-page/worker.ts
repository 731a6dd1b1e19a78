import * as Comlink from 'comlink';
import { relativeError } from '../../../worker/check/golden-check.ts';
import { readGoldenFile } from '../../../worker/check/golden-file.ts';
import { lossAndGradient } from '../../../worker/check/loss-and-gradient.ts';
import { type RandomModelOptions, randomModel } from '../../../worker/check/random-model.ts';
import { selfTest } from '../../../worker/check/self-test.ts';
import { type EngineErrors, verifyEngine } from '../../../worker/check/verify-engine.ts';
import { ENGINES } from '../../../worker/device/engines.ts';
import { createReferenceEngine } from '../../../worker/engine/reference/engine.ts';

export interface EngineReport {
  readonly absent: string | null;
  readonly backend: string;
  readonly errors: Omit<EngineErrors, 'gradients'> & { readonly gradients: Readonly<Record<string, number>> };
  readonly ok: boolean;
}

const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

/** What the test asks of an engine inside a tab's dedicated worker. */
const api = {
  async check(id: string, goldenUrl: string): Promise<EngineReport | { readonly absent: string }> {
    const kind = ENGINES.find((engine) => engine.id === id);
    if (kind === undefined) return { absent: 'There is no such engine.' };
    const absent = await kind.absent();
    if (absent !== null) return { absent };
    const golden = await readGoldenFile(new Uint8Array(await (await fetch(goldenUrl)).arrayBuffer()));
    const engine = await kind.create({ ...golden, withDropout: true });
    const { errors, ok } = await verifyEngine(engine, golden, kind.precision);
    const { backend } = engine;
    await engine.dispose();
    const gradients = Object.fromEntries(errors.gradients);
    return { absent: null, backend, errors: { ...errors, gradients }, ok };
  },
  /** Largest errors against the reference on a random model, at every depth, with dropout; relative to the largest value. */
  async compare(
    id: string,
    options: RandomModelOptions,
  ): Promise<{ readonly logits: number; readonly gradient: number }> {
    const kind = ENGINES.find((engine) => engine.id === id)!;
    const model = await randomModel(options);
    const [engine, reference] = [await kind.create(model), await createReferenceEngine(model)];
    await engine.setParameters(model.parameters);
    await reference.setParameters(model.parameters);
    let [logits, gradient] = [0, 0];
    for (let depth = 0; depth <= model.shape.layers; depth++) {
      const got = await lossAndGradient(engine, model.batch, depth, DROPOUT);
      const want = await lossAndGradient(reference, model.batch, depth, DROPOUT);
      logits = Math.max(logits, relativeError(got.logits, want.logits));
      gradient = Math.max(gradient, relativeError(got.gradient, want.gradient));
    }
    await engine.dispose();
    return { logits, gradient };
  },
  async selfTest(id: string): Promise<void> {
    const kind = ENGINES.find((engine) => engine.id === id);
    if (kind !== undefined) await selfTest(kind.create);
  },
};
export type EngineWorkerApi = typeof api;
Comlink.expose(api);
