import type { Block } from '../../signaling/protocol/round.ts';
import type { UnitRun } from '../../signaling/protocol/split.ts';
import { unitCount } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { StageOrder, StagePass, StageValues } from '../../worker/api/stage-api.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { runStage, type StageInputs } from '../../worker/learn/stage.ts';
import { runOrder } from '../../worker/learn/trainer.ts';

/** What a round of one device, or of a pipeline, comes to. */
export interface Outcome {
  readonly gradients: ReadonlyMap<Block, Float32Array>;
  readonly lossSum: number;
}

export interface Recipe {
  readonly batch: TokenBatch;
  readonly round: number;
  readonly layers: readonly number[];
  readonly microBatchSizes: readonly number[];
  readonly dropout: { readonly probability: number; readonly seed: number };
}

/** An engine that several stages of one process share: WebAssembly runs one graph after the other. */
export function shared(engine: Engine): Engine {
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    ...engine,
    begin: async (batch, options) => {
      const pass = await alone(() => engine.begin(batch, options));
      return {
        embed: () => alone(() => pass.embed()),
        forward: (range, hidden) => alone(() => pass.forward(range, hidden)),
        loss: (hidden, want) => alone(() => pass.loss(hidden, want)),
        backward: async function* (range, dHidden, wantInput) {
          const layers = pass.backward(range, dHidden, wantInput);
          let next = await alone(() => layers.next());
          for (; !next.done; next = await alone(() => layers.next())) yield next.value;
          return next.value;
        },
        dispose: () => pass.dispose(),
      };
    },
  };
}

export async function oneDevice(engine: Engine, recipe: Recipe): Promise<Outcome> {
  const gradients = new Map<Block, Float32Array>();
  let lossSum = Number.NaN;
  for await (const part of runOrder(engine, { ...recipe, head: true, microBatch: 1 }, async () => {}))
    if (part.kind === 'gradient') gradients.set(part.block, part.gradient);
    else lossSum = part.lossSum;
  return { gradients, lossSum };
}

/** What waits to be taken, in whichever order it came. */
export class Inbox implements StageInputs {
  readonly #there = new Map<string, Float32Array>();
  readonly #waiting = new Map<string, (values: Float32Array) => void>();

  take(kind: StageValues['kind'], microBatch: number): Promise<Float32Array> {
    const key = `${kind} ${microBatch}`;
    const values = this.#there.get(key);
    return values === undefined ? new Promise((resolve) => this.#waiting.set(key, resolve)) : Promise.resolve(values);
  }

  give({ kind, microBatch, values }: StageValues): void {
    const key = `${kind} ${microBatch}`;
    this.#there.set(key, values);
    this.#waiting.get(key)?.(values);
  }
}

export function stageOrders(recipe: Recipe, layers: number, runs: readonly UnitRun[], window: (s: number) => number) {
  const { batch } = recipe;
  return runs.map((run, s): StageOrder => {
    const head = run.to === unitCount(layers);
    return {
      round: recipe.round,
      run,
      layers: recipe.layers.filter((layer) => layer + 1 >= run.from && layer + 1 < run.to),
      head,
      lowest: Math.min(...recipe.layers),
      microBatchSizes: recipe.microBatchSizes,
      window: window(s),
      recompute: false,
      tokens: batch.tokens,
      lengths: batch.lengths,
      positions: batch.positions,
      ids: run.from === 0 ? batch.ids : null,
      labels: head ? batch.labels : null,
      dropout: recipe.dropout,
    };
  });
}

/**
 * A pipeline in one process: what one stage says reaches its neighbour in an order that `hold` makes up. A message may be held back while
 * another one is under way in the same direction.
 */
export async function pipeline(
  engines: readonly Engine[],
  orders: readonly StageOrder[],
  hold: (message: string) => number = () => 0,
): Promise<Outcome & { readonly passes: readonly (readonly StagePass[])[]; readonly messages: number }> {
  const inboxes = orders.map(() => new Inbox());
  const gradients = new Map<Block, Float32Array>();
  let [lossSum, messages] = [0, 0];
  const passes = await Promise.all(
    orders.map(async (order, s) => {
      const ended: StagePass[] = [];
      for await (const part of runStage(engines[s]!, order, inboxes[s]!, async () => {}))
        if (part.kind === 'gradient') gradients.set(part.block, part.gradient);
        else if (part.kind === 'done') lossSum += part.lossSum;
        else if (part.kind === 'passed') ended.push(part);
        else {
          messages++;
          const to = inboxes[part.kind === 'hidden' ? s + 1 : s - 1]!;
          let ticks = hold(`${s} ${part.kind} ${part.microBatch}`);
          const deliver = (): void => {
            if (ticks-- > 0) setImmediate(deliver);
            else to.give(part);
          };
          deliver();
        }
      return ended;
    }),
  );
  return { gradients, lossSum, passes, messages };
}
