import { lossAndGradient } from '../../../worker/check/loss-and-gradient.ts';
import type { Engine, EngineRequest } from '../../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../../worker/engine/onnx/engine.ts';
import { sizedMicroBatches } from '../../../worker/learn/micro-batches.ts';
import type { BenchCase } from './cases.ts';
import type { Contender, StepResult } from './contender.ts';

/** One of our engines. */
export function own(id: string, create: (request: EngineRequest) => Promise<Engine>): Contender {
  return {
    id,
    async open({ request, parameters, batch }) {
      const engine = await create(request);
      await engine.setParameters(parameters);
      return { step: () => lossAndGradient(engine, batch), close: () => engine.dispose() };
    },
  };
}

/** At a time: a whole batch through a large model would not fit into WASM's memory. */
const REFERENCE_SAMPLES = 4;

/** What a step is checked against: the `onnx` engine on WASM, a few samples after the others. */
export async function referenceStep({ request, parameters, batch }: BenchCase): Promise<StepResult> {
  const engine = await createOnnxEngine(request, 'wasm');
  await engine.setParameters(parameters);
  const { length } = batch.lengths;
  const sizes = Array.from({ length: Math.ceil(length / REFERENCE_SAMPLES) }, (_, i) =>
    Math.min(REFERENCE_SAMPLES, length - i * REFERENCE_SAMPLES),
  );
  let lossSum = 0;
  const gradient = new Float32Array(parameters.length);
  for (const { batch: piece } of sizedMicroBatches(batch, sizes)) {
    const part = await lossAndGradient(engine, piece);
    lossSum += part.lossSum;
    for (let i = 0; i < gradient.length; i++) gradient[i]! += part.gradient[i]!;
  }
  await engine.dispose();
  return { lossSum, gradient };
}
