import type { DetailedDevice, DetailedProblem, TabularDevice, TabularProblem } from './problem.ts';

/**
 * Devices in an order of their numbers alone, ids only between equals: peers that arrive in another order, or under other names, get the
 * same plan from heuristics and the same rounding of sums.
 */
export function canonicalDetailed(problem: DetailedProblem): DetailedProblem {
  const host = problem.host ?? problem.devices[0]?.id;
  const devices = problem.devices.toSorted(
    (a, b) => compareLists(numbersOf(a), numbersOf(b)) || compareIds(a.id, b.id),
  );
  return { ...problem, devices, ...(host === undefined ? {} : { host }) };
}

/** The tabular form has no host of its own: `offload` means the device that was listed first. */
export function canonicalTabular(problem: TabularProblem): { problem: TabularProblem; host: number } {
  const first = problem.devices[0];
  const devices = problem.devices.toSorted(compareTabular);
  return { problem: { ...problem, devices }, host: first ? devices.indexOf(first) : -1 };
}

function numbersOf(device: DetailedDevice): number[] {
  const { secondsPerSample: s, memory: m } = device;
  return [
    device.bitsPerSecondPerHz ?? 0,
    device.snrHz ?? 0,
    device.overheadSeconds,
    s.embed,
    s.forwardPerLayer,
    s.backwardPerLayer,
    s.head,
    m.limitBytes,
    m.weightsBytes,
    m.transientPerSample,
    m.savedPerSamplePerLayer,
    m.gradientBytesPerLayer,
    m.recompute?.transientPerSample ?? 0,
    m.recompute?.savedPerSamplePerLayer ?? 0,
  ];
}

function compareTabular(a: TabularDevice, b: TabularDevice): number {
  return (
    (a.bitsPerSecondPerHz ?? 0) - (b.bitsPerSecondPerHz ?? 0) ||
    (a.snrHz ?? 0) - (b.snrHz ?? 0) ||
    a.memoryLimitBytes - b.memoryLimitBytes ||
    compareLists(a.computeSeconds, b.computeSeconds) ||
    compareLists(a.memoryBytes, b.memoryBytes) ||
    compareIds(a.id, b.id)
  );
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
