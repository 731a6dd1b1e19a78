import { drawsFrom, type RandomSource } from '../planner/algorithms/random.ts';
import type { DetailedDevice, DetailedProblem, LinkCoefficients } from '../planner/problem/problem.ts';
import type { SplitDevice, SplitProblem } from '../protocol/pipeline/split-problem.ts';
import { GLUE_LENGTHS } from './glue-lengths.ts';
import { ENCODERS, type EncoderCosts, encoderCosts, groupedCosts } from './model-costs.ts';
import type { Scenario } from './scenario.ts';

/** Thermal noise at 290 K and a receiver's noise figure of 7 dB, dBm/Hz. */
const NOISE_DBM_PER_HZ = -174 + 7;
const NEAREST_METERS = 10;
/** Time to wake workers and submit, the same everywhere. */
const OVERHEAD_SECONDS = 0.01;

/**
 * One draw of a scenario. Device k of a seed always gets the same random numbers, so that fleets are nested in the number of devices,
 * and a spread or a bandwidth changes the same fleet: curves differ by what varies, not by luck.
 */
export function drawProblem(scenario: Scenario, seed: number): DetailedProblem {
  const costs = costsOf(scenario);
  return {
    model: {
      layers: scenario.blocks,
      samples: scenario.samples,
      head: { uploadBits: scenario.head ? costs.headUploadBits : 0 },
      layerUploadBits: costs.layerUploadBits,
    },
    devices: Array.from({ length: scenario.devices }, (_, index) => drawDevice(scenario, costs, seed, index)),
    bandwidthHz: scenario.channel === 'airtime' ? 1 : scenario.bandwidthHz,
    channel: scenario.channel,
  };
}

/** Of a message over a link of a room: half a round trip. */
const LAG_SECONDS = 0.005;
/** What a message of hidden states weighs beside them. */
const MESSAGE_BITS = 4096;

/**
 * The same draw for a model over a pipeline of devices, every layer trained, hidden states in f32. One medium for all; a pass costs its part of
 * a device's overhead.
 */
export function drawSplitProblem(scenario: Scenario, seed: number): SplitProblem {
  const costs = costsOf(scenario);
  const { blocks, samples } = scenario;
  const { hiddenSize } = ENCODERS[scenario.model];
  const tokens = GLUE_LENGTHS[scenario.task].meanLongestOf32;
  const { embeddingBytes, layerBytes, headBytes } = costs;
  const perPass = OVERHEAD_SECONDS / (2 * blocks);
  return {
    split: {
      layers: blocks,
      samples,
      trainedLayers: blocks,
      hiddenBits: 32 * tokens * hiddenSize,
      headCutBits: 32 * hiddenSize,
      messageBits: MESSAGE_BITS,
      layerUploadBits: costs.layerUploadBits,
      headUploadBits: scenario.head ? costs.headUploadBits : 0,
      replayBytesPerSample: 4 * tokens * hiddenSize,
    },
    devices: Array.from({ length: scenario.devices }, (_, index): SplitDevice => {
      const { id, secondsPerSample: each, memory, ...link } = drawDevice(scenario, costs, seed, index);
      const { limitBytes, transientPerSample, savedPerSamplePerLayer, gradientBytesPerLayer } = memory;
      return {
        id,
        fixedSeconds: { embed: 0, forwardPerLayer: perPass, backwardPerLayer: perPass, head: 0 },
        secondsPerSample: each,
        memory: {
          ...{ limitBytes, embeddingBytes, layerBytes, headBytes },
          ...{ transientPerSample, savedPerSamplePerLayer, gradientBytesPerLayer },
        },
        bitsPerSecond: wholeBandBits(scenario, link),
        lagSeconds: LAG_SECONDS,
      };
    }),
    shared: true,
  };
}

/** What a device sends that has the whole band to itself. */
function wholeBandBits({ channel, bandwidthHz }: Scenario, { bitsPerSecondPerHz = 0, snrHz = 0 }: LinkCoefficients) {
  if (channel === 'ofdma-power') return bandwidthHz * Math.log2(1 + snrHz / bandwidthHz);
  return channel === 'airtime' ? bitsPerSecondPerHz : bandwidthHz * bitsPerSecondPerHz;
}

function costsOf(scenario: Scenario): EncoderCosts {
  const encoder = ENCODERS[scenario.model];
  const shape = {
    tokens: GLUE_LENGTHS[scenario.task].meanLongestOf32,
    rank: scenario.rank,
    adapted: scenario.adapted,
    labels: 2,
  };
  return groupedCosts(encoderCosts(encoder, shape), encoder.layers, scenario.blocks);
}

/**
 * Computation offloading to a server: it trains the whole model itself. Nothing comes back over the air; the samples' token ids, a few
 * kilobytes, are left out.
 */
export function serverProblem(scenario: Scenario, speed: number): DetailedProblem {
  const costs = costsOf(scenario);
  const server: DetailedDevice = {
    id: 'server',
    overheadSeconds: OVERHEAD_SECONDS,
    secondsPerSample: secondsPerSample(costs, speed * scenario.computeFlops),
    memory: { ...memoryOf(costs), limitBytes: 1e15 },
    ...(scenario.channel === 'ofdma-power' ? { snrHz: 1 } : { bitsPerSecondPerHz: 1 }),
  };
  return {
    model: { layers: scenario.blocks, samples: scenario.samples, head: { uploadBits: 0 }, layerUploadBits: 0 },
    devices: [server],
    bandwidthHz: 1,
    channel: scenario.channel,
  };
}

function secondsPerSample(costs: EncoderCosts, flops: number): DetailedDevice['secondsPerSample'] {
  return {
    embed: costs.embedFlops / flops,
    forwardPerLayer: costs.forwardFlopsPerLayer / flops,
    backwardPerLayer: costs.backwardFlopsPerLayer / flops,
    head: costs.headFlops / flops,
  };
}

function memoryOf(costs: EncoderCosts): Omit<DetailedDevice['memory'], 'limitBytes'> {
  return {
    weightsBytes: costs.weightsBytes,
    transientPerSample: costs.transientBytesPerSample,
    savedPerSamplePerLayer: costs.savedBytesPerSamplePerLayer,
    gradientBytesPerLayer: costs.gradientBytesPerLayer,
  };
}

function drawDevice(scenario: Scenario, costs: EncoderCosts, seed: number, index: number): DetailedDevice {
  const random = deviceDraws(seed, index);
  const logUniform = (centre: number, spread: number) => centre * spread ** (2 * random.uniform() - 1);
  const flops = logUniform(scenario.computeFlops, scenario.computeSpread);
  const limitBytes = logUniform(scenario.memoryBytes, scenario.memorySpread);
  const distanceMeters = Math.max(NEAREST_METERS, scenario.radiusMeters * Math.sqrt(random.uniform()));
  const snrHz = receivedSnrHz(scenario.powerDbm, distanceMeters, exponential(random));
  const bitsPerSecondPerHz = Math.log2(1 + snrHz / scenario.bandwidthHz);
  return {
    id: `device-${index + 1}`,
    overheadSeconds: OVERHEAD_SECONDS,
    secondsPerSample: secondsPerSample(costs, flops),
    memory: { limitBytes, ...memoryOf(costs) },
    ...linkOf(scenario, snrHz, bitsPerSecondPerHz),
  };
}

/** A stream of its own for every device of every seed: the pair is spread over the generator's 2^32 states. */
export function deviceDraws(seed: number, index: number): RandomSource {
  const spread = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  return drawsFrom(Math.imul(spread ^ (spread >>> 16), 0xc2b2ae35));
}

/** Mean 1: the power of a Rayleigh-fading channel. */
export const exponential = (random: RandomSource) => -Math.log(1 - random.uniform());

/**
 * `ofdma`: the power density of a device that fills the whole band, so that its spectral efficiency is the same over any part of it.
 * `ofdma-power`: a device puts all its power into its part. `airtime`: the whole band for a part of the time, the same rates as `ofdma`.
 */
function linkOf({ channel, bandwidthHz }: Scenario, snrHz: number, bitsPerSecondPerHz: number) {
  if (channel === 'ofdma-power') return { snrHz };
  return { bitsPerSecondPerHz: channel === 'airtime' ? bandwidthHz * bitsPerSecondPerHz : bitsPerSecondPerHz };
}

/** P h / N0 in hertz. Path loss of an urban macro cell, 128.1 + 37.6 log10(km) dB (3GPP TR 36.814); `fading` has mean 1. */
export function receivedSnrHz(powerDbm: number, distanceMeters: number, fading: number): number {
  const pathLossDb = 128.1 + 37.6 * Math.log10(distanceMeters / 1000);
  return fading * 10 ** ((powerDbm - pathLossDb - NOISE_DBM_PER_HZ) / 10);
}
