import type { Block } from '../../../signaling/protocol/round.ts';
import type { Engine } from '../engine.ts';

/** An engine that knows why its device cannot be used any more. */
export interface FailingEngine extends Engine {
  readonly gpu: { readonly failure: Error | null };
}

/** A device that goes away again and again is of no use; so many new ones are opened in an engine's life. */
const MAX_RECOVERIES = 3;

/**
 * The engine that `open` makes, and, once its device has failed, another one with the same parameters in its place when the next pass
 * begins. Frozen weights are read again then.
 * @throws what `open` throws, when it throws the first time.
 */
export async function recovering(open: () => Promise<FailingEngine>): Promise<Engine> {
  let current = await open();
  let parameters: Float32Array | null = null;
  /** Set after them. */
  const blocks = new Map<Block, Float32Array>();
  let recoveries = 0;
  let closed = false;
  const { name, backend, shape, layout, part, openPasses, computesPadding, recomputes } = current;

  const working = async (): Promise<FailingEngine> => {
    const { failure } = current.gpu;
    if (failure === null || closed) return current;
    if (++recoveries > MAX_RECOVERIES) throw failure;
    await current.dispose();
    current = await open();
    if (parameters !== null) await current.setParameters(parameters);
    await current.setBlocks([...blocks].map(([block, values]) => ({ block, values })));
    return current;
  };

  return {
    name,
    backend,
    shape,
    layout,
    part,
    openPasses,
    computesPadding,
    recomputes,
    setParameters: async (values) => {
      parameters = values.slice();
      blocks.clear();
      await (await working()).setParameters(values);
    },
    setBlocks: async (some) => {
      await (await working()).setBlocks(some);
      for (const { block, values } of some) blocks.set(block, values.slice());
    },
    wrapHidden: (...of) => current.wrapHidden(...of),
    wrapFirst: (...of) => current.wrapFirst(...of),
    begin: async (batch, options) => (await working()).begin(batch, options),
    bytes: (...of) => current.bytes(...of),
    fits: async (...of) => (await working()).fits(...of),
    copyBytesPerSecond: async () => (await working()).copyBytesPerSecond(),
    dispose: async () => {
      closed = true;
      await current.dispose();
    },
  };
}
