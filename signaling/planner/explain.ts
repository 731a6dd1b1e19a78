import { latencyAt, shareBandwidth } from './problem/bandwidth.ts';
import type { RateLaw } from './problem/channel.ts';
import type { Load } from './problem/load.ts';

export interface Limit {
  /** Row of the device that limits the round. */
  readonly device: number;
  readonly sentence: string;
}

const MORE = 1.25;

/**
 * Which device limits the round and what would help most: every device in turn gets a quarter more uplink, then a quarter more speed, and
 * the bandwidth is shared out anew where the policy shares it (`joint`). The largest saving names the limit.
 */
export function explainLimit(
  law: RateLaw,
  loads: readonly Load[],
  hertz: readonly number[],
  bandwidthHz: number,
  joint: boolean,
  nameOf: (device: number) => string,
): Limit {
  const latency = latencyAt(law, loads, hertz);
  const after = (changed: readonly Load[]): number =>
    joint ? shareBandwidth(law, changed, bandwidthHz).latencySeconds : latencyAt(law, changed, hertz);
  let best = { device: -1, what: '', seconds: latency };
  for (const device of new Set(loads.map((load) => load.device))) {
    const better = (change: (load: Load) => Load) =>
      loads.map((load) => (load.device === device ? change(load) : load));
    const uplink = after(better((load) => ({ ...load, coefficient: load.coefficient * MORE })));
    if (uplink < best.seconds) best = { device, what: 'uplink', seconds: uplink };
    const speed = after(better((load) => ({ ...load, computeSeconds: load.computeSeconds / MORE })));
    if (speed < best.seconds) best = { device, what: 'speed', seconds: speed };
  }
  const percent = latency > 0 ? (100 * (latency - best.seconds)) / latency : 0;
  if (percent < 0.1) {
    const seconds = loads.map((load, i) => latencyAt(law, [load], [hertz[i]!]));
    const device = loads[seconds.indexOf(Math.max(...seconds))]!.device;
    return { device, sentence: `${nameOf(device)} finishes last, but no single device alone holds the round up.` };
  }
  const saving = `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
  const help = best.what === 'uplink' ? 'a quarter more uplink there' : 'a quarter more speed there';
  return {
    device: best.device,
    sentence: `${nameOf(best.device)}'s ${best.what} limits the round; what would help most is ${help}: it saves ${saving}.`,
  };
}
