import { lossAndGradient } from '../../../worker/check/loss-and-gradient.ts';
import type { Engine, EngineRequest } from '../../../worker/engine/engine.ts';
import type { Contender } from './contender.ts';

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
