import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { layerTensorSpecs } from '../../../worker/model/description.ts';
import { encodeSafetensors, type NamedTensor } from '../../../worker/model/safetensors.ts';
import type { BenchCase } from './cases.ts';
import type { Contender } from './contender.ts';
import { peerModel } from './peer-model.ts';

const SCRIPT = fileURLToPath(new URL('torch_step.py', import.meta.url));
const AnswerSchema = v.object({ loss: v.number(), cpuSeconds: v.number(), seconds: v.number() });

/** On one thread of the processor; on an NVIDIA GPU in single precision; there with products rounded to TF32. */
export type TorchDevice = 'cpu' | 'cuda' | 'cuda-tf32';

const found = new Map<TorchDevice, string | undefined>();

/** A Python that has PyTorch and, where asked for, a CUDA device for it; undefined where none has. Looked for once. */
function python(device: TorchDevice): string | undefined {
  if (!found.has(device)) {
    const test = device === 'cpu' ? 'import torch' : 'import sys, torch; sys.exit(not torch.cuda.is_available())';
    const program = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', test]).status === 0);
    found.set(device, program);
  }
  return found.get(device);
}

/** PyTorch in a process of its own. */
export function torch(device: TorchDevice): Contender {
  return {
    id: `pytorch-${device}`,
    async open(benchCase) {
      const program = python(device);
      if (program === undefined)
        throw new Error(`there is no Python with PyTorch${device === 'cpu' ? '' : ' and a CUDA device'} here`);
      const folder = await mkdtemp(join(tmpdir(), 'tabloom-bench-'));
      const [model, gradient] = [join(folder, 'model.safetensors'), join(folder, 'gradient.f32')];
      await writeFile(model, await modelFile(benchCase));
      const child = spawn(program, [SCRIPT, model, gradient, device], {
        env: { ...process.env, OMP_NUM_THREADS: '1' },
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const errors: string[] = [];
      child.stderr.on('data', (text) => errors.push(String(text)));
      return {
        step: async () => {
          const { loss, cpuSeconds, seconds } = await ask(child, lines, errors);
          return {
            lossSum: loss,
            cpuSeconds,
            wallMs: 1000 * seconds,
            gradient: new Float32Array(new Uint8Array(await readFile(gradient)).buffer),
          };
        },
        close: async () => {
          child.stdin.end();
          await rm(folder, { recursive: true });
        },
      };
    },
  };
}

async function ask(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, errors: readonly string[]) {
  child.stdin.write('step\n');
  const { value, done } = await lines.next();
  if (done) throw new Error(`PyTorch ended: ${errors.join('').trim().split('\n').at(-1)}`);
  return v.parse(AnswerSchema, JSON.parse(value));
}

async function modelFile(benchCase: BenchCase): Promise<Uint8Array> {
  const model = await peerModel(benchCase);
  const { samples, tokens, width } = model;
  const specs = layerTensorSpecs(benchCase.request.shape);
  const norm = 'roberta.embeddings.LayerNorm';
  const tensors: NamedTensor[] = [
    { name: 'embedded', shape: [samples, tokens, width], values: model.embedded },
    { name: `${norm}.weight`, shape: [width], values: model.embeddingNorm.weight },
    { name: `${norm}.bias`, shape: [width], values: model.embeddingNorm.bias },
    { name: 'labels', shape: [samples], values: model.labels },
    ...model.layers.flatMap((layer, index) =>
      specs.map(({ key, path, shape }) => ({
        name: `roberta.encoder.layer.${index}.${path}`,
        shape,
        values: layer[key],
      })),
    ),
    ...model.slots.map(({ name, shape }, i) => ({ name, shape, values: model.values[i]! })),
  ];
  return encodeSafetensors(tensors, {
    heads: String(model.heads),
    eps: String(model.eps),
    scale: String(model.loraScale),
    layers: String(model.layers.length),
    trained: JSON.stringify(model.slots.map(({ name }) => name)),
  });
}
