import { computeSeconds as deviceSeconds, memoryBytes } from '../../protocol/cost-model.ts';
import { linkCoefficient, type RateLaw, rateLaw } from './channel.ts';
import type { Load } from './load.ts';
import type { DetailedDevice, DetailedProblem } from './problem.ts';

/** The detailed problem, read for solving: devices as rows, their deepest depth by memory worked out. */
export interface Fleet {
  readonly devices: readonly DetailedDevice[];
  readonly layers: number;
  /** D, samples in a round. */
  readonly samples: number;
  readonly headBits: number;
  readonly layerBits: number;
  readonly law: RateLaw;
  /** (K) */
  readonly coefficient: Float64Array;
  /** (K) deepest depth whose pass fits with a micro-batch of one sample; -1 where not even the head does. */
  readonly deepestHeld: Int32Array;
  readonly bandwidthHz: number;
  /** Row of the device that `offload` uses. */
  readonly host: number;
}

export function fleetOf(problem: DetailedProblem): Fleet {
  const { model, devices, bandwidthHz } = problem;
  const law = rateLaw(problem.channel);
  return {
    devices,
    layers: model.layers,
    samples: model.samples,
    headBits: model.head.uploadBits,
    layerBits: model.layerUploadBits,
    law,
    coefficient: Float64Array.from(devices, (device) => linkCoefficient(law, device)),
    deepestHeld: Int32Array.from(devices, (device) => {
      let depth = model.layers;
      while (depth >= 0 && memoryBytes(device, 1, depth) > device.memory.limitBytes) depth--;
      return depth;
    }),
    bandwidthHz,
    host: Math.max(
      0,
      devices.findIndex((device) => device.id === problem.host),
    ),
  };
}

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

export function passSeconds(fleet: Fleet, device: number, samples: number, depth: number): number {
  return deviceSeconds(fleet.devices[device]!, fleet.layers, samples, depth);
}

/** A run of neighbouring blocks for one device: depths `from` + 1 to `to`. Depth 0 is the head, so -1 to L is the whole model. */
export interface BlockRun {
  readonly device: number;
  readonly from: number;
  readonly to: number;
}

export function runBits(fleet: Fleet, from: number, to: number): number {
  return (to - Math.max(from, 0)) * fleet.layerBits + (from < 0 ? fleet.headBits : 0);
}

/** Runs that cover depths 0 to L without a gap are a team's work on `samples`. */
export function chainLoads(
  fleet: Fleet,
  chain: readonly BlockRun[],
  samples: { start: number; count: number },
): Load[] {
  return chain.map(({ device, from, to }) => ({
    device,
    depths: Array.from({ length: to - from }, (_, i) => from + 1 + i),
    computeSeconds: passSeconds(fleet, device, samples.count, to),
    uploadBits: runBits(fleet, from, to),
    coefficient: fleet.coefficient[device]!,
    samples,
  }));
}

/** Whether the device can send at all what the bits ask for. */
export function canSend(fleet: Fleet, device: number): boolean {
  return fleet.coefficient[device]! > 0 || (fleet.layerBits === 0 && fleet.headBits === 0);
}

/** Why no device can close a chain: somebody must hold the deepest layer and be able to send. */
export function whyNoChain(fleet: Fleet): string {
  const { layers, deepestHeld } = fleet;
  const reach = Math.max(...deepestHeld);
  if (reach < layers) {
    const deeper = layers - reach - 1;
    const rest = deeper > 0 ? ` (nor the ${deeper} deeper ${deeper === 1 ? 'one' : 'ones'})` : '';
    return `no device's memory can hold depth ${Math.max(reach + 1, 1)}${rest}; add a device with more memory`;
  }
  return `depth ${layers} fits only on devices whose link carries nothing; give one of them a working link`;
}
