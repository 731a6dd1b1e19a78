import * as Comlink from 'comlink';
import { ENGINES } from '../../../worker/engine/engines.ts';
import { checkGolden, type GoldenErrors, withinLimits } from '../../../worker/engine/golden-check.ts';
import { readGoldenFile } from '../../../worker/engine/golden-file.ts';
import { selfTest } from '../../../worker/engine/self-test.ts';

export interface EngineReport {
  readonly absent: string | null;
  readonly backend: string;
  readonly errors: Omit<GoldenErrors, 'gradients'> & { readonly gradients: Readonly<Record<string, number>> };
  readonly ok: boolean;
}

/** What the test asks of an engine inside a tab's dedicated worker. */
const api = {
  async check(id: string, goldenUrl: string): Promise<EngineReport | { readonly absent: string }> {
    const kind = ENGINES.find((engine) => engine.id === id);
    if (kind === undefined) return { absent: 'There is no such engine.' };
    const absent = await kind.absent();
    if (absent !== null) return { absent };
    const golden = await readGoldenFile(new Uint8Array(await (await fetch(goldenUrl)).arrayBuffer()));
    const engine = await kind.create(golden);
    const errors = await checkGolden(engine, golden);
    const { backend } = engine;
    await engine.dispose();
    const gradients = Object.fromEntries(errors.gradients);
    return { absent: null, backend, errors: { ...errors, gradients }, ok: withinLimits(errors) };
  },
  async selfTest(id: string): Promise<void> {
    const kind = ENGINES.find((engine) => engine.id === id);
    if (kind !== undefined) await selfTest(kind.create);
  },
};
export type EngineWorkerApi = typeof api;
Comlink.expose(api);
