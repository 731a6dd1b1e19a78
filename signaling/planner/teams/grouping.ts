import { drawsFrom } from '../algorithms/random.ts';
import { uploadSeconds } from '../problem/channel.ts';
import { type BlockRun, canSend, type Fleet, passSeconds, runBits } from '../problem/fleet.ts';

/** Up to so many devices every subset is tried; beyond, a local search looks for a good order of devices. */
const MAX_DEVICES_FOR_SUBSETS = 12;
const ORDERS_TRIED = 1500;
const ORDERS_TRIED_QUICKLY = 60;
/** Before anything is covered; block 0 is the head. */
const NOTHING = -1;

export interface Grouping {
  /** In depth order: each device at most once, blocks 0 to N without a gap. */
  readonly chain: readonly BlockRun[];
  readonly latencySeconds: number;
  readonly solver: string;
}

/**
 * Block allocation at fixed bandwidth when neighbouring layers may be grouped: which run of layers each of at most `maxLinks` devices
 * takes, every device sending over `hertz`; the head goes with block 1. Bisects the latency; at a threshold a device that starts below
 * block a reaches some furthest block, and reaching further never hurts the next, so only the order of devices matters. Exact up to 12
 * devices (all subsets); beyond, a local search over orders. Null when no device can close the chain.
 */
export function groupAtFixedRate(fleet: Fleet, hertz: number, maxLinks: number): Grouping | null {
  const usable = usableDevices(fleet);
  if (usable.length > MAX_DEVICES_FOR_SUBSETS) return groupByOrders(fleet, hertz, usable, maxLinks, ORDERS_TRIED);
  const start = bestAlone(fleet, hertz, usable);
  if (!start) return null;
  const exact = improve(fleet, hertz, start, (T) => chainBySubsets(fleet, hertz, usable, T, maxLinks));
  return { ...exact, solver: 'grouping by bisection over subsets' };
}

/** A good grouping to start a search from. */
export function quickGrouping(fleet: Fleet, hertz: number, maxLinks: number): Grouping | null {
  return groupByOrders(fleet, hertz, usableDevices(fleet), maxLinks, ORDERS_TRIED_QUICKLY);
}

function groupByOrders(
  fleet: Fleet,
  hertz: number,
  usable: readonly number[],
  maxLinks: number,
  tries: number,
): Grouping | null {
  const start = bestAlone(fleet, hertz, usable);
  if (!start) return null;
  const found = improve(fleet, hertz, start, (T) => chainByOrders(fleet, hertz, usable, T, maxLinks, tries));
  return { ...found, solver: 'grouping by bisection, local search over orders' };
}

function usableDevices(fleet: Fleet): number[] {
  return [...fleet.devices.keys()].filter((k) => canSend(fleet, k) && fleet.deepestHeld[k]! > 0);
}

function bestAlone(fleet: Fleet, hertz: number, usable: readonly number[]): Measured | null {
  return usable
    .filter((k) => fleet.deepestHeld[k] === fleet.blocks)
    .map((device) => measure(fleet, hertz, [{ device, from: NOTHING, to: fleet.blocks }]))
    .reduce<Measured | null>((best, next) => (best && best.latencySeconds <= next.latencySeconds ? best : next), null);
}

interface Measured {
  readonly chain: readonly BlockRun[];
  readonly latencySeconds: number;
}

function measure(fleet: Fleet, hertz: number, chain: readonly BlockRun[]): Measured {
  return { chain, latencySeconds: Math.max(...chain.map((run) => runSeconds(fleet, hertz, run))) };
}

function runSeconds(fleet: Fleet, hertz: number, { device, from, to }: BlockRun): number {
  return (
    passSeconds(fleet, device, fleet.samples, to) +
    uploadSeconds(fleet.law, fleet.coefficient[device]!, hertz, runBits(fleet, from, to))
  );
}

/**
 * Tightens a known chain: every success counts for what its chain really takes, and the answer stands when nothing is found just below it.
 * Bisection in between keeps the number of attempts logarithmic.
 */
function improve(
  fleet: Fleet,
  hertz: number,
  known: Measured,
  attempt: (limitSeconds: number) => readonly BlockRun[] | null,
): Measured {
  let best = known;
  let low = 0;
  for (;;) {
    const below = attempt(best.latencySeconds * (1 - 1e-13));
    if (!below) return best;
    best = measure(fleet, hertz, below);
    // A local search may find below what it failed at before.
    if (best.latencySeconds <= low) continue;
    const middle = (low + best.latencySeconds) / 2;
    const halved = attempt(middle);
    if (halved) best = measure(fleet, hertz, halved);
    else low = middle;
  }
}

/** Furthest block that the device covers from block `from` + 1 within the limit; `from` itself when none. */
function reach(fleet: Fleet, hertz: number, device: number, from: number, limitSeconds: number): number {
  const held = fleet.deepestHeld[device]!;
  const nearest = Math.max(from, 0) + 1;
  if (held < nearest) return from;
  const spare = limitSeconds - runSeconds(fleet, hertz, { device, from, to: nearest });
  if (spare < 0) return from;
  // As if all layers were like the first of them; then what is so.
  const { depthOf, samples, law } = fleet;
  const { backwardPerLayer } = fleet.devices[device]!.secondsPerSample;
  const layers = depthOf[nearest]! - depthOf[nearest - 1]!;
  const perBlock =
    samples * layers * backwardPerLayer +
    uploadSeconds(law, fleet.coefficient[device]!, hertz, runBits(fleet, nearest - 1, nearest));
  let to = Math.min(held, nearest + (perBlock > 0 ? Math.floor(spare / perBlock) : fleet.blocks));
  while (to > nearest && runSeconds(fleet, hertz, { device, from, to }) > limitSeconds) to--;
  while (to < held && runSeconds(fleet, hertz, { device, from, to: to + 1 }) <= limitSeconds) to++;
  return to;
}

/** Depth at which the device's time or memory is up if it had nothing to send. */
function horizon(fleet: Fleet, device: number, limitSeconds: number): number {
  const { backwardPerLayer } = fleet.devices[device]!.secondsPerSample;
  const spare = limitSeconds - passSeconds(fleet, device, fleet.samples, 0);
  const perLayer = fleet.samples * backwardPerLayer;
  const depth = perLayer > 0 ? spare / perLayer : spare >= 0 ? Infinity : -1;
  return Math.min(depth, fleet.depthOf[fleet.deepestHeld[device]!] ?? -1);
}

/** (N + 1) furthest block from each start: entry 0 is the reach from nothing, entry a + 1 from block a; no run ends at the head. */
function reaches(fleet: Fleet, hertz: number, device: number, limitSeconds: number): Int32Array {
  return Int32Array.from({ length: fleet.blocks + 1 }, (_, i) => reach(fleet, hertz, device, i - 1, limitSeconds));
}

/**
 * Devices in ascending order of their horizon would be best if layers could be cut anywhere; from there one device at a time moves
 * elsewhere, keeping what does not cover less.
 */
function chainByOrders(
  fleet: Fleet,
  hertz: number,
  usable: readonly number[],
  limit: number,
  maxLinks: number,
  tries: number,
): BlockRun[] | null {
  const byHorizon = usable
    .map((device) => ({ device, depth: horizon(fleet, device, limit) }))
    .filter(({ depth }) => depth >= 1)
    .sort((a, b) => a.depth - b.depth || a.device - b.device)
    .map(({ device }) => device);
  // Only so many take part: the deepest, then the others in reserve.
  let order = [...byHorizon.slice(-maxLinks), ...byHorizon.slice(0, -maxLinks)];
  const furthest = new Map(order.map((device) => [device, reaches(fleet, hertz, device, limit)]));
  const follow = (devices: readonly number[]): BlockRun[] => {
    const chain: BlockRun[] = [];
    let covered = NOTHING;
    for (const device of devices) {
      const to = furthest.get(device)![covered + 1]!;
      if (to > covered) chain.push({ device, from: covered, to });
      covered = to;
      if (covered === fleet.blocks || chain.length === maxLinks) break;
    }
    return chain;
  };
  const end = (chain: readonly BlockRun[]) => chain.at(-1)?.to ?? NOTHING;
  const draw = drawsFrom(1);
  let chain = follow(order);
  for (let tried = 0; tried < tries && end(chain) < fleet.blocks && order.length > 1; tried++) {
    const moved = [...order];
    const [device] = moved.splice(draw.below(moved.length), 1);
    moved.splice(draw.below(moved.length + 1), 0, device!);
    if (draw.below(2) === 0) {
      const [i, j] = [draw.below(moved.length), draw.below(moved.length)];
      [moved[i], moved[j]] = [moved[j]!, moved[i]!];
    }
    const next = follow(moved);
    if (end(next) < end(chain)) continue;
    order = moved;
    chain = next;
  }
  return end(chain) === fleet.blocks ? chain : null;
}

/** f(S) = furthest block that the devices of S cover in any order; f(S) = max over k in S of reach(k, f(S without k)). */
function chainBySubsets(
  fleet: Fleet,
  hertz: number,
  usable: readonly number[],
  limit: number,
  maxLinks: number,
): BlockRun[] | null {
  const subsets = 1 << usable.length;
  const covered = new Int32Array(subsets).fill(NOTHING);
  const last = new Int32Array(subsets).fill(-1);
  const members = new Uint8Array(subsets);
  const furthest = usable.map((device) => reaches(fleet, hertz, device, limit));
  for (let set = 1; set < subsets; set++) {
    members[set] = members[set & (set - 1)]! + 1;
    if (members[set]! > maxLinks) continue;
    for (let i = 0; i < usable.length; i++) {
      if (!(set & (1 << i))) continue;
      const to = furthest[i]![covered[set ^ (1 << i)]! + 1]!;
      if (to > covered[set]!) {
        covered[set] = to;
        last[set] = i;
      }
    }
    if (covered[set] === fleet.blocks) return unwind(usable, covered, last, set);
  }
  return null;
}

function unwind(usable: readonly number[], covered: Int32Array, last: Int32Array, full: number): BlockRun[] {
  const chain: BlockRun[] = [];
  for (let set = full; covered[set]! > NOTHING; ) {
    const i = last[set]!;
    const rest = set ^ (1 << i);
    if (covered[rest]! < covered[set]!) chain.push({ device: usable[i]!, from: covered[rest]!, to: covered[set]! });
    set = rest;
  }
  return chain.reverse();
}
