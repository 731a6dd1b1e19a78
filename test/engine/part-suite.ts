import { describe, expect, it } from 'vitest';
import { packed, unpacked } from '../../signaling/protocol/exchange/hidden-codec.ts';
import { partOf, type UnitRun, unitCount } from '../../signaling/protocol/split.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { type RandomModel, randomModel } from '../../worker/check/random-model.ts';
import { runsOf, splitEngine } from '../../worker/check/split-engine.ts';
import type { Engine, EngineBytes, EngineRequest } from '../../worker/engine/engine.ts';
import { frozenTensors } from '../../worker/model/description.ts';
import type { TensorSpec, Weights } from '../../worker/model/weights.ts';
import { ODD_MODELS } from './odd-models.ts';

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };
const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

/** Weights whose tensors outside of the run throw when anything of them is asked for. */
export function onlyTheRun(model: RandomModel, run: UnitRun): Weights {
  const allowed = new Set(frozenTensors(model.shape, partOf(run, model.shape.layers)).map(({ name }) => name));
  const check = (names: readonly string[]) => {
    for (const name of names) if (!allowed.has(name)) throw new Error(`${name} was asked for outside of the run.`);
  };
  const { weights } = model;
  const one = <T>(name: string, then: () => T): T => {
    check([name]);
    return then();
  };
  const several = <T>(wanted: readonly TensorSpec[], then: () => T): T => {
    check(wanted.map(({ name }) => name));
    return then();
  };
  return {
    has: (name, shape) => one(name, () => weights.has(name, shape)),
    shapeOf: (name) => one(name, () => weights.shapeOf(name)),
    fileBytes: (wanted) => several(wanted, () => weights.fileBytes(wanted)),
    chunks: (wanted) => several(wanted, () => weights.chunks(wanted)),
    stream: async (wanted) => several(wanted, () => weights.stream(wanted)),
    read: async (name, shape) => one(name, () => weights.read(name, shape)),
    readFirstRow: async (name, width) => one(name, () => weights.readFirstRow(name, width)),
  };
}

/** Every way to cut the units of a model into two runs, and some or all ways into three. */
export function cuts(layers: number, three: 'all' | 'some'): readonly (readonly UnitRun[])[] {
  const units = unitCount(layers);
  const at = Array.from({ length: units - 1 }, (_, i) => i + 1);
  const runs = (borders: readonly number[]): readonly UnitRun[] =>
    [0, ...borders].map((from, i) => ({ from, to: borders[i] ?? units }));
  const pairs = at.flatMap((a) => at.filter((b) => b > a).map((b) => [a, b] as const));
  return [
    ...at.map((a) => runs([a])),
    ...pairs.filter((_, i) => three === 'all' || i % 3 === 1).map((pair) => runs(pair)),
  ];
}

/** What an engine's parts are held to: nothing is read outside of a run, and stages give the whole engine's answer. */
export function partSuite(
  title: string,
  create: (request: EngineRequest) => Promise<Engine>,
  {
    tolerance,
    refuses = [],
  }: { readonly tolerance: 0 | 1e-6; readonly refuses?: readonly (keyof typeof ODD_MODELS)[] },
): void {
  /** Engines of runs, each made once, from weights that have nothing else. */
  const engines = (model: RandomModel) => {
    const made = new Map<string, Promise<Engine>>();
    const make = async (run: UnitRun) => {
      const part = partOf(run, model.shape.layers);
      const engine = await create({ ...model, part, weights: onlyTheRun(model, run) });
      expect(engine.part).toEqual(part);
      await engine.setParameters(model.parameters);
      return engine;
    };
    return {
      of: (run: UnitRun) => {
        const key = `${run.from}-${run.to}`;
        const engine = made.get(key) ?? make(run);
        made.set(key, engine);
        return engine;
      },
      dispose: async () => {
        for (const engine of made.values()) await (await engine).dispose();
      },
    };
  };

  describe(title, () => {
    it.each(Object.entries(ODD_MODELS).filter(([name]) => !refuses.includes(name)))(
      'is the whole engine, cut anywhere, at every depth, dropout on and off: %s',
      async (name, options) => {
        const model = await randomModel(options);
        const whole = await create(model);
        await whole.setParameters(model.parameters);
        const parts = engines(model);
        const { layers } = model.shape;
        let compared = 0;
        for (const runs of cuts(layers, name === 'every target' ? 'all' : 'some')) {
          // One after the other: onnxruntime's memory is one for all, and takes one caller at a time.
          const stages: Engine[] = [];
          for (const run of runs) stages.push(await parts.of(run));
          for (let depth = 0; depth <= layers; depth++)
            for (const dropout of [NO_DROPOUT, DROPOUT]) {
              const want = await lossAndGradient(whole, model.batch, depth, dropout);
              const got = await lossAndGradient(splitEngine(stages), model.batch, depth, dropout);
              const where = `cut at ${runs.slice(1).map(({ from }) => from)}, depth ${depth}, dropout ${dropout.probability}`;
              if (tolerance === 0) expect(got, where).toEqual(want);
              else {
                expect(relativeError(got.logits, want.logits), where).toBeLessThan(tolerance);
                expect(Math.abs(got.lossSum / want.lossSum - 1), where).toBeLessThan(tolerance);
                expect(relativeError(got.gradient, want.gradient), where).toBeLessThan(tolerance);
              }
              compared++;
            }
        }
        expect(compared).toBeGreaterThanOrEqual(2 * (layers + 1) * (layers + 1));
        await parts.dispose();
        await whole.dispose();
      },
    );

    it('with hidden states of 16 bits between three stages is within 5e-3 of the whole, and not to the bit', async () => {
      const model = await randomModel({ layers: 4, hiddenSize: 32, heads: 2, ffnSize: 64, tokens: 12, samples: 4 });
      const whole = await create(model);
      await whole.setParameters(model.parameters);
      const parts = engines(model);
      const stages: Engine[] = [];
      for (const run of runsOf([1, 3], 4)) stages.push(await parts.of(run));
      const carried = { up: 0, down: 0 };
      const halves = splitEngine(stages, (rows, direction) => {
        carried[direction]++;
        const message = packed(rows, 'f16');
        if (message === null) throw new Error('A value is not finite.');
        expect(message.tensor).toBeInstanceOf(Uint16Array);
        return unpacked(message.tensor, message);
      });
      for (const dropout of [NO_DROPOUT, DROPOUT]) {
        const want = await lossAndGradient(whole, model.batch, 4, dropout);
        const got = await lossAndGradient(halves, model.batch, 4, dropout);
        const off = differenceNorm(got.gradient, want.gradient);
        expect(off).toBeLessThan(5e-3);
        expect(off).toBeGreaterThan(1e-5);
        expect(Math.abs(got.lossSum / want.lossSum - 1)).toBeLessThan(1e-3);
      }
      expect(carried).toEqual({ up: 4, down: 4 });
      await parts.dispose();
      await whole.dispose();
    });

    it('refuses in a sentence what is outside of its part, before and after what it does', async () => {
      const model = await randomModel({ layers: 3 });
      const run = { from: 2, to: 4 };
      const engine = await create({ ...model, part: partOf(run, 3), weights: onlyTheRun(model, run) });
      const pass = await engine.begin(
        { ...model.batch, ids: new Int32Array(0), labels: new Float32Array(0) },
        { saveFrom: 0, dropout: NO_DROPOUT },
      );
      const rows = model.batch.lengths.reduce((a, b) => a + b, 0) * model.shape.hiddenSize;
      const hidden = () => engine.wrapHidden(model.batch, new Float32Array(rows).fill(0.5));
      const has = 'this device has layers 1 to 2.';
      await expect(pass.embed()).rejects.toThrow(`The embeddings are not held here: ${has}`);
      await expect(pass.forward({ from: 0, to: 2 }, await hidden())).rejects.toThrow(
        `Layers 0 to 1 are not held here: ${has}`,
      );
      await expect(pass.forward({ from: 2, to: 4 }, await hidden())).rejects.toThrow("not a range of the model's 3");
      await expect(pass.loss(await hidden(), { dHidden: true, headGradient: true })).rejects.toThrow(
        `The head is not held here: ${has}`,
      );
      await expect(pass.backward({ from: 0, to: 1 }, await hidden(), false).next()).rejects.toThrow(
        'Layer 0 is not held here',
      );
      await expect(
        engine.setBlocks([{ block: 0, values: new Float32Array(engine.layout.layers[0]!.length) }]),
      ).rejects.toThrow("Layer 0's trained values are not held here");
      await expect(engine.setBlocks([{ block: 1, values: new Float32Array(3) }])).rejects.toThrow(
        /^Layer 1 has \d+ trained values; 3 were given\.$/,
      );
      await expect(engine.wrapHidden(model.batch, new Float32Array(rows + 1))).rejects.toThrow(
        'packed values do not fit',
      );
      expect((await (await pass.forward({ from: 1, to: 3 }, await hidden())).readPacked()).length).toBe(rows);
      pass.dispose();
      await engine.dispose();
    });

    it('refuses to embed without ids, and to find a gradient without labels, but not logits', async () => {
      const model = await randomModel();
      const engine = await create(model);
      const batch = { ...model.batch, ids: new Int32Array(0), labels: new Float32Array(0) };
      const pass = await engine.begin(batch, { saveFrom: 2, dropout: NO_DROPOUT });
      await expect(pass.embed()).rejects.toThrow('There are no token ids to embed.');
      const rows = batch.lengths.reduce((a, b) => a + b, 0) * model.shape.hiddenSize;
      const hidden = await engine.wrapHidden(batch, new Float32Array(rows));
      await expect(pass.loss(hidden, { dHidden: true, headGradient: false })).rejects.toThrow('There are no labels');
      pass.dispose();
      const logits = async (labels: Float32Array) => {
        const again = await engine.begin({ ...model.batch, labels }, { saveFrom: 2, dropout: NO_DROPOUT });
        const output = await again.forward({ from: 0, to: 2 }, await again.embed());
        const found = await again.loss(output, { dHidden: false, headGradient: false });
        again.dispose();
        return found.logits;
      };
      expect(await logits(new Float32Array(0))).toEqual(await logits(model.batch.labels));
      await engine.dispose();
    });

    it('takes its blocks one by one as it takes them all, and keeps the others', async () => {
      const model = await randomModel({ layers: 3 });
      const run = { from: 3, to: 5 };
      const make = () => create({ ...model, part: partOf(run, 3), weights: onlyTheRun(model, run) });
      const [all, some] = [await make(), await make()];
      const blocks = (['head', 2] as const).map((block) => {
        const { offset, length } = block === 'head' ? all.layout.head : all.layout.layers[block]!;
        return { block, values: model.parameters.slice(offset, offset + length) };
      });
      await all.setParameters(model.parameters);
      for (const block of blocks) await some.setBlocks([block]);
      // They are copies: what becomes of the caller's arrays is nobody's business.
      for (const { values } of blocks) values.fill(9);
      const answer = async (engine: Engine) => {
        const pass = await engine.begin(model.batch, { saveFrom: 2, dropout: NO_DROPOUT });
        const rows = model.batch.lengths.reduce((a, b) => a + b, 0) * model.shape.hiddenSize;
        const input = await engine.wrapHidden(
          model.batch,
          new Float32Array(rows).map((_, i) => Math.sin(i)),
        );
        const { logits } = await pass.loss(await pass.forward({ from: 2, to: 3 }, input), {
          dHidden: false,
          headGradient: false,
        });
        pass.dispose();
        return logits;
      };
      expect(await answer(some)).toEqual(await answer(all));
      for (const engine of [all, some]) await engine.dispose();
    });

    it('keeps the tables of the embeddings in 8 bits where only they are to be, and the layers as they are', async () => {
      const model = await randomModel({ layers: 1, hiddenSize: 16, heads: 2, ffnSize: 24 });
      const make = async (storage: Pick<EngineRequest, 'weightStorage' | 'embeddingStorage'>) => {
        const engine = await create({ ...model, ...storage });
        await engine.setParameters(model.parameters);
        const pass = await engine.begin(model.batch, { saveFrom: 1, dropout: NO_DROPOUT });
        const embedded = await (await pass.embed()).readPacked();
        const input = await engine.wrapHidden(
          model.batch,
          embedded.map((_, i) => Math.sin(i)),
        );
        const output = await (await pass.forward({ from: 0, to: 1 }, input)).readPacked();
        pass.dispose();
        const { weightsBytes } = engine.bytes(1, 1, { savedLayers: 0 });
        await engine.dispose();
        return { embedded, output, weightsBytes };
      };
      const mixed = await make({ weightStorage: 'f32', embeddingStorage: 'int8' });
      const full = await make({ weightStorage: 'f32' });
      const coarse = await make({ weightStorage: 'int8' });
      expect(mixed.embedded).toEqual(coarse.embedded);
      expect(mixed.embedded).not.toEqual(full.embedded);
      expect(mixed.output).toEqual(full.output);
      // Three tables of 16 columns: a byte instead of four for each value, and a scale for each row.
      const rows = model.shape.vocabSize + model.shape.maxPositions + 1;
      expect(Math.abs(full.weightsBytes - mixed.weightsBytes - (3 * 16 * rows - 4 * rows))).toBeLessThanOrEqual(1024);
    });

    it('counts the bytes of its part: those of three parts are the whole, but for what each has for itself', async () => {
      const model = await randomModel({ layers: 3 });
      const whole = await create(model);
      const bytes = async (run: UnitRun) => {
        const engine = await create({ ...model, part: partOf(run, 3), weights: onlyTheRun(model, run) });
        const of = engine.bytes(2, 7, { savedLayers: Math.min(1, run.to - run.from) });
        await engine.dispose();
        return of;
      };
      const parts: EngineBytes[] = [];
      for (const run of [
        { from: 0, to: 1 },
        { from: 1, to: 4 },
        { from: 4, to: 5 },
      ])
        parts.push(await bytes(run));
      const all = whole.bytes(2, 7, { savedLayers: 1 });
      for (const part of parts) expect(part.weightsBytes).toBeLessThan(all.weightsBytes);
      expect(parts.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0)).toBeGreaterThanOrEqual(
        0.95 * all.weightsBytes,
      );
      expect(parts[1]!.savedBytes).toBe(all.savedBytes);
      if (whole.openPasses > 1) {
        const three = whole.bytes(2, 7, { savedLayers: 2, openPasses: 3 });
        expect(three.savedBytes).toBe(3 * whole.bytes(2, 7, { savedLayers: 2 }).savedBytes);
      }
      await whole.dispose();
    });
  });
}

/** Norm of the difference over the norm. */
function differenceNorm(got: Float32Array, want: Float32Array): number {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(got.map((value, i) => value - want[i]!)) / norm(want);
}
