import { computeSeconds as deviceSeconds, memoryBytes } from '../../protocol/cost-model.ts';
import { linkCoefficient, type RateLaw, rateLaw } from './channel.ts';
import type { Load } from './load.ts';
import type { DetailedDevice, DetailedProblem } from './problem.ts';

/**
 * The detailed problem, read for solving: devices as rows, their deepest block by memory worked out. Layers with adapters are blocks,
 * numbered from the loss: 1 to N, and 0 is the head. Where every layer has adapters a block's number is its depth.
 */
export interface Fleet {
  readonly devices: readonly DetailedDevice[];
  /** L, of the model. */
  readonly layers: number;
  /** N, layers with adapters. */
  readonly blocks: number;
  /** (N + 1) depth of each block. */
  readonly depthOf: Int32Array;
  /** D, samples in a round. */
  readonly samples: number;
  readonly headBits: number;
  /** (N + 1, N + 1) upload bits of the blocks after one up to another, without the head's. */
  readonly bitsBetween: Float64Array;
  readonly law: RateLaw;
  /** (K) */
  readonly coefficient: Float64Array;
  /** (K) deepest block whose pass fits with a micro-batch of one sample; -1 where not even the head does. */
  readonly deepestHeld: Int32Array;
  readonly bandwidthHz: number;
  /** Row of the device that `offload` uses. */
  readonly host: number;
}

export function fleetOf(problem: DetailedProblem): Fleet {
  const { model, devices, bandwidthHz } = problem;
  const law = rateLaw(problem.channel);
  const { layers, layerUploadBits: bits } = model;
  const depths = Array.from({ length: layers }, (_, i) => i + 1).filter((depth) => bitsAt(bits, depth) !== null);
  const blocks = depths.length;
  const depthOf = Int32Array.of(0, ...depths);
  // Not differences of sums from the start: numbers may be so far apart that a small one is lost beside a large one.
  const bitsBetween = new Float64Array((blocks + 1) ** 2);
  for (let from = 0; from < blocks; from++)
    for (let at = from * (blocks + 1) + from + 1, b = from + 1; b <= blocks; b++, at++)
      bitsBetween[at] = bitsBetween[at - 1]! + bitsAt(bits, depthOf[b]!)!;
  return {
    devices,
    layers,
    blocks,
    depthOf,
    samples: model.samples,
    headBits: model.head.uploadBits,
    bitsBetween,
    law,
    coefficient: Float64Array.from(devices, (device) => linkCoefficient(law, device)),
    deepestHeld: Int32Array.from(devices, (device) => {
      let block = blocks;
      while (block >= 0 && memoryBytes(device, 1, depthOf[block]!) > device.memory.limitBytes) block--;
      return block;
    }),
    bandwidthHz,
    host: Math.max(
      0,
      devices.findIndex((device) => device.id === problem.host),
    ),
  };
}

const bitsAt = (bits: DetailedProblem['model']['layerUploadBits'], depth: number): number | null =>
  typeof bits === 'number' ? bits : (bits[depth - 1] ?? null);

/** The fleet of some of its devices. */
export function fleetOfRows(fleet: Fleet, rows: readonly number[]): Fleet {
  return {
    ...fleet,
    devices: rows.map((row) => fleet.devices[row]!),
    coefficient: Float64Array.from(rows, (row) => fleet.coefficient[row]!),
    deepestHeld: Int32Array.from(rows, (row) => fleet.deepestHeld[row]!),
    host: Math.max(0, rows.indexOf(fleet.host)),
  };
}

/** Seconds of forward over all layers and backward down to `block`. */
export function passSeconds(fleet: Fleet, device: number, samples: number, block: number): number {
  return deviceSeconds(fleet.devices[device]!, fleet.layers, samples, fleet.depthOf[block]!);
}

/** A run of neighbouring blocks for one device: `from` + 1 to `to`. Block 0 is the head, so -1 to N is the whole model. */
export interface BlockRun {
  readonly device: number;
  readonly from: number;
  readonly to: number;
}

export function runBits(fleet: Fleet, from: number, to: number): number {
  const { blocks, bitsBetween, headBits } = fleet;
  return bitsBetween[Math.max(from, 0) * (blocks + 1) + to]! + (from < 0 ? headBits : 0);
}

/** Runs that cover blocks 0 to N without a gap are a team's work on `samples`. */
export function chainLoads(
  fleet: Fleet,
  chain: readonly BlockRun[],
  samples: { start: number; count: number },
): Load[] {
  return chain.map(({ device, from, to }) => ({
    device,
    depths: Array.from({ length: to - from }, (_, i) => fleet.depthOf[from + 1 + i]!),
    computeSeconds: passSeconds(fleet, device, samples.count, to),
    uploadBits: runBits(fleet, from, to),
    coefficient: fleet.coefficient[device]!,
    samples,
  }));
}

/** Whether the device can send at all what the bits ask for. */
export function canSend(fleet: Fleet, device: number): boolean {
  return fleet.coefficient[device]! > 0 || runBits(fleet, -1, fleet.blocks) === 0;
}

/** Why no device can close a chain: somebody must hold the deepest layer and be able to send. */
export function whyNoChain(fleet: Fleet): string {
  const { blocks, depthOf, deepestHeld } = fleet;
  const reach = Math.max(...deepestHeld);
  if (reach < blocks) {
    const deeper = blocks - reach - 1;
    const rest = deeper > 0 ? ` (nor the ${deeper} deeper ${deeper === 1 ? 'one' : 'ones'})` : '';
    return `no device's memory can hold depth ${depthOf[Math.max(reach + 1, 1)]}${rest}; add a device with more memory`;
  }
  return `depth ${depthOf[blocks]} fits only on devices whose link carries nothing; give one of them a working link`;
}
