import { partOf, type UnitRun, unitCount, wholePart } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { BlockGradient, Engine, EngineBytes, EngineRequest, Hidden, LayerRange, Pass } from '../engine/engine.ts';
import { blocksOf, isHeadAlone } from '../engine/part.ts';

/** What becomes of hidden states, and of their gradient, between two stages. */
export type Carrier = (rows: Float32Array, direction: 'up' | 'down') => Float32Array;

const asTheyAre: Carrier = (rows) => rows;

/** The runs of units of a model of `layers` layers, a new one at each of the layers `cuts`; what lies beyond the last layer cuts off the head. */
export function runsOf(cuts: readonly number[], layers: number): readonly UnitRun[] {
  const units = unitCount(layers);
  const borders = [...new Set(cuts.map((layer) => Math.min(layer, layers) + 1))].sort((a, b) => a - b);
  return [0, ...borders].map((from, i) => ({ from, to: borders[i] ?? units }));
}

/** An engine for each run, one after the other: onnxruntime's memory takes one caller at a time. */
export async function createStages(
  create: (request: EngineRequest) => Promise<Engine>,
  request: EngineRequest,
  runs: readonly UnitRun[],
): Promise<readonly Engine[]> {
  const stages: Engine[] = [];
  try {
    for (const run of runs) stages.push(await create({ ...request, part: partOf(run, request.shape.layers) }));
    return stages;
  } catch (error) {
    for (const engine of stages) await engine.dispose();
    throw error;
  }
}

/**
 * Engines that hold the parts of one model, in order from the embeddings up, as one engine of the whole: hidden states go from stage to
 * stage as packed rows, before the head as first tokens, their gradient back the same way. What a split room does, in one process: with
 * rows carried as they are, engines that keep f32 give the whole one's answer to the bit.
 * @throws RangeError where the parts are not the model, each unit once.
 */
export function splitEngine(stages: readonly Engine[], carry: Carrier = asTheyAre): Engine {
  const [first] = stages;
  if (first === undefined) throw new RangeError('A model of no stages is none.');
  const { shape, layout } = first;
  requireModel(stages, shape.layers);
  const all = async (work: (engine: Engine) => Promise<void>): Promise<void> => {
    for (const engine of stages) await work(engine);
  };
  const sum = (parts: readonly EngineBytes[]): EngineBytes => ({
    weightsBytes: parts.reduce((total, { weightsBytes }) => total + weightsBytes, 0),
    transientBytes: parts.reduce((total, { transientBytes }) => total + transientBytes, 0),
    savedBytes: parts.reduce((total, { savedBytes }) => total + savedBytes, 0),
    gradientBytes: parts.reduce((total, { gradientBytes }) => total + gradientBytes, 0),
  });
  /** Of the `savedLayers` last layers those that a stage has. */
  const savedIn = ({ part: { layers } }: Engine, savedLayers: number): number =>
    Math.max(0, layers.to - Math.max(layers.from, shape.layers - savedLayers));
  return {
    name: first.name,
    backend: `${first.backend}, ${stages.length} stages`,
    shape,
    layout,
    part: wholePart(shape.layers),
    openPasses: Math.min(...stages.map(({ openPasses }) => openPasses)),
    computesPadding: first.computesPadding,
    recomputes: first.recomputes,
    setParameters: (values) => all((engine) => engine.setParameters(values)),
    setBlocks: (blocks) =>
      all((engine) => engine.setBlocks(blocks.filter(({ block }) => blocksOf(layout, engine.part).has(block)))),
    begin: async (batch, options) => {
      const passes: Pass[] = [];
      try {
        for (const engine of stages) passes.push(await engine.begin(batch, options));
        return splitPass(stages, passes, batch, carry);
      } catch (error) {
        for (const pass of passes) pass.dispose();
        throw error;
      }
    },
    wrapHidden: (...of) => first.wrapHidden(...of),
    wrapFirst: (...of) => first.wrapFirst(...of),
    bytes: (samples, tokens, needs) =>
      sum(
        stages.map((engine) =>
          engine.bytes(samples, tokens, { ...needs, savedLayers: savedIn(engine, needs.savedLayers) }),
        ),
      ),
    fits: async (samples, tokens, needs) => {
      for (const engine of stages)
        if (!(await engine.fits(samples, tokens, { ...needs, savedLayers: savedIn(engine, needs.savedLayers) })))
          return false;
      return true;
    },
    copyBytesPerSecond: () => first.copyBytesPerSecond(),
    dispose: () => all((engine) => engine.dispose()),
  };
}

function splitPass(stages: readonly Engine[], passes: readonly Pass[], batch: TokenBatch, carry: Carrier): Pass {
  /** The stage whose engine has made them; those that come from elsewhere are any stage's. */
  const madeBy = new WeakMap<Hidden, number>();
  const made = (hidden: Hidden, stage: number): Hidden => {
    madeBy.set(hidden, stage);
    return hidden;
  };
  const cross = async (hidden: Hidden, to: number): Promise<Hidden> => {
    const from = madeBy.get(hidden);
    if (from === undefined || from === to) return hidden;
    // Either side of the head's border has first tokens alone.
    const firstOnly = isHeadAlone(stages[Math.max(from, to)]!.part);
    const read = firstOnly ? await hidden.readFirst() : await hidden.readPacked();
    hidden.dispose();
    const rows = carry(read, from < to ? 'up' : 'down');
    const engine = stages[to]!;
    return made(firstOnly ? await engine.wrapFirst(batch, rows) : await engine.wrapHidden(batch, rows), to);
  };
  const within = ({ from, to }: LayerRange, stage: number): LayerRange => {
    const { layers } = stages[stage]!.part;
    return { from: Math.max(from, layers.from), to: Math.min(to, layers.to) };
  };
  const top = stages.length - 1;
  return {
    embed: async () => made(await passes[0]!.embed(), 0),
    forward: async (range, hidden) => {
      let x = hidden;
      for (const [stage, pass] of passes.entries()) {
        const own = within(range, stage);
        if (own.from < own.to) x = made(await pass.forward(own, await cross(x, stage)), stage);
      }
      return x;
    },
    loss: async (hidden, want) => {
      const found = await passes[top]!.loss(await cross(hidden, top), want);
      if (found.dHidden !== null) made(found.dHidden, top);
      return found;
    },
    backward: async function* (range, dHidden, wantInput): AsyncGenerator<BlockGradient, Hidden | null, void> {
      let dy: Hidden | null = dHidden;
      for (let stage = top; stage >= 0; stage--) {
        const own = within(range, stage);
        if (own.from >= own.to || dy === null) continue;
        const goesOn = wantInput || own.from > range.from;
        dy = yield* passes[stage]!.backward(own, await cross(dy, stage), goesOn);
        if (dy !== null) made(dy, stage);
      }
      return wantInput ? dy : null;
    },
    dispose: () => {
      for (const pass of passes) pass.dispose();
    },
  };
}

function requireModel(stages: readonly Engine[], layers: number): void {
  let next = 0;
  const isModel =
    stages[0]!.part.embeddings &&
    stages.at(-1)!.part.head &&
    stages.every(({ part }, stage) => {
      const follows = part.layers.from === next || part.layers.to === part.layers.from;
      next = Math.max(next, part.layers.to);
      return follows && part.embeddings === (stage === 0) && part.head === (stage === stages.length - 1);
    });
  if (!isModel || next !== layers) throw new RangeError('The stages do not make up the model, each unit once.');
}
