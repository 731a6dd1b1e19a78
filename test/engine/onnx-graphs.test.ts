import { InferenceSession } from 'onnxruntime-web/wasm';
import { describe, expect, it, vi } from 'vitest';
import {
  LORA_TARGETS,
  type LoraTarget,
  type ModelShape,
  type WeightStorage,
} from '../../signaling/protocol/settings.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { layerGraphs } from '../../worker/engine/onnx/layer-graphs.ts';
import { encodeModel, type GraphDescription } from '../../worker/engine/onnx/model-proto.ts';

const shape: ModelShape = {
  layers: 3,
  hiddenSize: 8,
  heads: 2,
  ffnSize: 12,
  vocabSize: 9,
  maxPositions: 9,
  layerNormEps: 1e-5,
  padTokenId: 1,
};
const graphs = (targets: LoraTarget[], withDropout = false, weightStorage: WeightStorage = 'f32') =>
  layerGraphs({
    shape,
    targets,
    scale: 2,
    withDropout,
    weightStorage,
    dialect: { fusedMatMul: true },
  });
const inputs = (graph: GraphDescription) => graph.inputs.map(({ name }) => name);
const count = (graph: GraphDescription, operator: string) =>
  graph.nodes.filter((node) => node.operator === operator).length;

describe("a layer's graphs", () => {
  it('take the frozen weights as inputs and hold no large constants', () => {
    const { forward, forwardSaving, backward } = graphs([...LORA_TARGETS]);
    for (const graph of [forward, forwardSaving, backward]) {
      expect(inputs(graph)).toContain('intermediate.dense.weight');
      for (const constant of graph.constants) expect(constant.values.length).toBeLessThanOrEqual(4);
    }
  });

  it('compute no gradient of a frozen matrix: one product back through each, three more for each adapter', () => {
    expect(count(graphs(['query']).backward, 'Gemm')).toBe(6 + 4);
    expect(count(graphs([...LORA_TARGETS]).backward, 'Gemm')).toBe(6 + 6 * 4);
  });

  it('stop at the adapters of the deepest layer', () => {
    // Back through attention.output.dense, intermediate.dense and output.dense; no further than the adapters of query and value.
    const { backwardDeepest } = graphs(['query', 'value']);
    for (const target of ['query', 'key', 'value']) expect(inputs(backwardDeepest)).not.toContain(`${target}.weight`);
    expect(count(backwardDeepest, 'Gemm')).toBe(3 + 2 * 3);
    // The shallowest target needs nothing below it at all.
    const shallow = graphs(['output.dense']).backwardDeepest;
    expect(inputs(shallow).filter((name) => name.endsWith('.weight'))).toEqual(['output.LayerNorm.weight']);
    expect(count(shallow, 'Softmax') + count(shallow, 'FusedMatMul')).toBe(0);
    // A value's adapter needs the probabilities but not their gradient.
    expect(count(graphs(['value']).backwardDeepest, 'FusedMatMul')).toBe(1);
  });

  it('carry no trace of dropout where there is none', () => {
    const plain = graphs(['query', 'value']);
    const dropped = graphs(['query', 'value'], true);
    for (const kind of ['forward', 'forwardSaving', 'backward'] as const) {
      expect(inputs(plain[kind]).filter((name) => name.startsWith('mask.'))).toEqual([]);
      expect(inputs(dropped[kind]).filter((name) => name.startsWith('mask.'))).toHaveLength(5);
    }
  });

  it('keep no f32 copy of a matrix that is stored in fewer bits', () => {
    const plain = graphs(['query', 'value']);
    for (const storage of ['f16', 'int8'] as const) {
      const stored = graphs(['query', 'value'], false, storage);
      expect(stored.forwardSaving.outputs).toHaveLength(plain.forwardSaving.outputs.length);
      const matrix = { name: 'intermediate.dense.weight', type: storage === 'f16' ? 'float16' : 'int8' };
      for (const graph of [stored.forward, stored.backward, stored.backwardDeepest])
        expect(graph.inputs).toContainEqual(matrix);
    }
  });

  it('save nothing that the backward graphs do not take', () => {
    const { forwardSaving, backward, backwardDeepest, output } = graphs(['query', 'value']);
    const saved = forwardSaving.outputs.map(({ name }) => name).filter((name) => name !== output);
    expect(inputs(backward)).toEqual(expect.arrayContaining(saved));
    const known = new Set([...saved, ...inputs(forwardSaving), 'dHidden']);
    for (const name of [...inputs(backward), ...inputs(backwardDeepest)]) expect(known).toContain(name);
  });
});

describe('sessions', () => {
  it.each([2, 5])('are as many for %i layers as for one', async (layers) => {
    const create = vi.spyOn(InferenceSession, 'create');
    const model = await randomModel({ layers });
    const engine = await createOnnxEngine({ ...model, withDropout: false }, 'wasm');
    await engine.setParameters(model.parameters);
    for (const depth of [0, 1, layers]) await lossAndGradient(engine, model.batch, depth);
    // Forward, forward saving, backward, backward of the deepest layer; head with and without gradients.
    expect(create.mock.calls.length).toBeLessThanOrEqual(6);
    create.mockRestore();
    await engine.dispose();
  });
});

describe('ONNX models', () => {
  it('are encoded as the format says', () => {
    const bytes = encodeModel({
      name: 'g',
      inputs: [{ name: 'x', type: 'float' }],
      outputs: [],
      constants: [{ name: 'c', type: 'int64', shape: [1], values: [-1] }],
      nodes: [{ operator: 'Op', domain: '', inputs: ['x'], outputs: [], attributes: { axis: -1, e: { float: 0.5 } } }],
    });
    const hex = Buffer.from(bytes).toString('hex');
    // ir_version 8, producer "tabloom"
    expect(hex.startsWith('0808' + '120774' + '61626c6f6f6d')).toBe(true);
    // Attribute axis: an int64 of -1 takes ten bytes of varint, type INT.
    expect(hex).toContain(`0a0461786973${'18'}${'ff'.repeat(9)}01${'a00102'}`);
    // Attribute e: float 0.5, type FLOAT.
    expect(hex).toContain(`0a0165${'15'}0000003f${'a00101'}`);
    // TensorProto c: dims [1], INT64, name, raw_data of eight bytes ff.
    expect(hex).toContain(`0a0101${'1007'}420163${'4a08'}${'ff'.repeat(8)}`);
  });
});
