import type { PassSeconds, PassTable, Rows } from './rows.ts';

/** Labels of a position are told apart to this part of the threshold; of those that are not, the least label and the least cost count. */
const BUCKETS = 128;

/**
 * Chains of runs at one count of micro-batches, in which a device may come twice. A chain's *label* at a cut is what the first micro-batch
 * needs to get there, and the last one from there down to the end: it adds up along the chain. A stage's own *need* must fit between the
 * label below it and the threshold. Both are those of `Evaluator.bound`, with the least round trip above in place of the chain's own.
 */
export class RunPaths {
  readonly #rows: Rows;
  #table: PassTable;
  readonly #side: number;
  /** By (from, to) and device: what a run adds to the label, Infinity where it does not fit; and its need at the threshold. */
  readonly #label: Float64Array;
  readonly #need: Float64Array;
  /** By (from, to): the least need of all devices. */
  readonly #leastNeed: Float64Array;
  /** By cut: the least round trip of a micro-batch above it. */
  readonly #above: Float64Array;
  #threshold = 0;
  /** By cut and bucket. */
  readonly #cost: Float64Array;
  readonly #least: Float64Array;
  /** The state and the device by which the cost was reached. */
  readonly #from: Int32Array;
  readonly #by: Int32Array;
  /** (K) how often the cheapest chain uses each device. */
  readonly uses: Int32Array;
  /** From one stage to the next that the last question looked at. */
  steps = 0;

  constructor(rows: Rows, table: PassTable) {
    this.#rows = rows;
    this.#table = table;
    this.#side = rows.units + 1;
    const runs = this.#side ** 2;
    this.#label = new Float64Array(runs * rows.devices).fill(Infinity);
    this.#need = new Float64Array(runs * rows.devices).fill(Infinity);
    this.#leastNeed = new Float64Array(runs);
    this.#above = new Float64Array(this.#side);
    const states = this.#side * BUCKETS;
    this.#cost = new Float64Array(states);
    this.#least = new Float64Array(states);
    this.#from = new Int32Array(states);
    this.#by = new Int32Array(states);
    this.uses = new Int32Array(rows.devices);
  }

  /** Works out what stages need at a threshold and a count of micro-batches. */
  prepare(table: PassTable, seconds: number): void {
    this.#table = table;
    const { units, devices } = this.#rows;
    this.#threshold = seconds;
    this.#roundTrips(seconds);
    for (let from = 0; from < units; from++)
      for (let to = from + 1; to <= units; to++) {
        const run = from * this.#side + to;
        let least = Infinity;
        for (let k = 0; k < devices; k++) {
          const need = this.#fill(run * devices + k, k, from, to);
          if (need < least) least = need;
        }
        this.#leastNeed[run] = least;
      }
  }

  /** What a run adds to the label; Infinity where it does not fit the device. */
  label(k: number, from: number, to: number): number {
    return this.#label[(from * this.#side + to) * this.#rows.devices + k]!;
  }

  /** What a run needs between the label below it and the threshold; Infinity where it does not fit the device. */
  need(k: number, from: number, to: number): number {
    return this.#need[(from * this.#side + to) * this.#rows.devices + k]!;
  }

  /** (N + 1) the largest label of each cut from which some chain gets to the end within `seconds`; -Infinity for none. */
  latest(seconds: number, into: Float64Array): void {
    const { units, devices } = this.#rows;
    into.fill(-Infinity);
    into[units] = seconds;
    for (let from = units - 1; from >= 0; from--)
      for (let to = from + 1; to <= units; to++)
        for (let k = 0, at = (from * this.#side + to) * devices; k < devices; k++, at++) {
          const label = Math.min(seconds - this.#need[at]!, into[to]! - this.#label[at]!);
          if (label > into[from]!) into[from] = label;
        }
  }

  /** The least price of a chain that finishes before the threshold; Infinity where there is none. */
  cheapest(prices: Float64Array): number {
    const { units, devices } = this.#rows;
    const threshold = this.#threshold;
    const cost = this.#cost.fill(Infinity);
    const least = this.#least.fill(Infinity);
    const label = this.#label;
    const need = this.#need;
    const scale = BUCKETS / threshold;
    cost[0] = 0;
    least[0] = 0;
    this.steps = 0;
    for (let from = 0; from < units; from++) {
      let cheapest = Infinity;
      for (let state = from * BUCKETS; state < (from + 1) * BUCKETS; state++) {
        const paid = cost[state]!;
        // With a smaller label for no more there is nothing that this one could do better.
        if (paid >= cheapest) continue;
        cheapest = paid;
        const below = least[state]!;
        const room = threshold - below;
        for (let to = from + 1; to <= units; to++) {
          const run = from * this.#side + to;
          if (this.#leastNeed[run]! > room) continue;
          this.steps += devices;
          for (let k = 0, at = run * devices; k < devices; k++, at++) {
            if (need[at]! > room) continue;
            const reached = below + label[at]!;
            const bucket = Math.floor(reached * scale);
            if (bucket >= BUCKETS) continue;
            const next = to * BUCKETS + bucket;
            const price = paid + prices[k]!;
            if (reached < least[next]!) least[next] = reached;
            if (price < cost[next]!) {
              cost[next] = price;
              this.#from[next] = state;
              this.#by[next] = k;
            }
          }
        }
      }
    }
    let best = units * BUCKETS;
    for (let state = best; state < (units + 1) * BUCKETS; state++) if (cost[state]! < cost[best]!) best = state;
    this.#follow(best);
    return cost[best]!;
  }

  #follow(last: number): void {
    this.uses.fill(0);
    if (this.#cost[last] === Infinity) return;
    for (let state = last; state >= BUCKETS; state = this.#from[state]!) this.uses[this.#by[state]!]!++;
  }

  /** Whether and how a run fits: writes its label, returns its need. */
  #fill(at: number, k: number, from: number, to: number): number {
    const { units, low, limit, embeddingBytes, replayBytes, layerBytes, headBytes, transient, gradientBytes, saved } =
      this.#rows;
    const { first, rest, larger, microBatches, largest } = this.#table;
    const layers = Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
    const trained = Math.max(0, Math.min(to, units - 1) - Math.max(from, low, 1));
    const isTop = to === units;
    const free =
      limit[k]! -
      (from === 0 ? embeddingBytes[k]! : replayBytes) -
      layers * layerBytes[k]! -
      (isTop ? headBytes[k]! : 0) -
      largest * transient[k]! -
      trained * gradientBytes[k]!;
    const each = largest * trained * saved[k]!;
    const cap = free < 0 ? 0 : each === 0 ? microBatches : Math.min(microBatches, Math.floor(free / each));
    if (cap < 1) {
      this.#need[at] = Infinity;
      return Infinity;
    }
    const smaller = microBatches - larger;
    const lag = this.#rows.lag[k]!;
    const f1 = (from === 0 ? first.embed[k]! : 0) + layers * first.forward[k]!;
    const fM = (from === 0 ? rest.embed[k]! : 0) + layers * rest.forward[k]!;
    const forwards = larger * f1 + smaller * fM;
    const x1 = isTop ? 0 : sending(first, k, to, units);
    const xM = isTop ? 0 : sending(rest, k, to, units);
    const ups = larger * x1 + smaller * xM;
    const lagUp = isTop ? 0 : lag;
    const above = this.#above[to]!;
    if (to <= low) {
      this.#label[at] = f1 + x1 + lagUp;
      this.#need[at] = Math.max(forwards + xM, f1 + ups) + lagUp + above;
      return this.#need[at]!;
    }
    const b1 = trained * first.backward[k]! + (isTop ? first.head[k]! : 0);
    const bM = trained * rest.backward[k]! + (isTop ? rest.head[k]! : 0);
    const backwards = larger * b1 + smaller * bM;
    const isLowest = from <= low;
    const zM = isLowest ? 0 : sending(rest, k, from, units);
    const downs = isLowest ? 0 : larger * sending(first, k, from, units) + smaller * zM;
    const lagDown = isLowest ? 0 : lag;
    const bits = this.#rows.gradientBitsBelow[to]! - this.#rows.gradientBitsBelow[from]!;
    const drain = isLowest && k !== this.#rows.host ? bits / this.#rows.rate[k]! + lag : 0;
    const trips = Math.ceil(microBatches / cap);
    const need = Math.max(
      forwards + backwards + zM + lagDown,
      f1 + x1 + lagUp + above + backwards + zM + lagDown,
      trips * (fM + xM + lagUp + above + bM) + zM + lagDown,
      f1 + ups + downs + (isLowest ? (isTop ? 0 : lag + above + bM) : lag),
    );
    this.#label[at] = f1 + x1 + lagUp + bM + zM + lagDown + drain;
    this.#need[at] = need + drain;
    return this.#need[at]!;
  }

  /**
   * For every cut the least that a micro-batch of the smallest size spends above it, there and back. Two bounds, the larger counts: a shortest
   * path in which devices repeat, and the layers dealt to the devices by what one costs there, a stage's messages shared by the most layers
   * that it can have before the threshold.
   */
  #roundTrips(seconds: number): void {
    const { units, low, devices, lag } = this.#rows;
    const { rest } = this.#table;
    const above = this.#above.fill(Infinity);
    above[units] = 0;
    let head = Infinity;
    for (let k = 0; k < devices; k++) head = Math.min(head, rest.head[k]!);
    for (let from = units - 1; from >= 0; from--) {
      const shortest = this.#shortestAbove(from);
      const layers = units - 1 - Math.max(from, 1);
      const trained = units - 1 - Math.max(from, low, 1);
      // Layers above the cut, and whether they go backward too: where some do not, only forward seconds count for all.
      const both = trained === layers;
      const offers: { each: number; most: number }[] = [];
      let dearest = 0;
      for (let k = 0; k < devices; k++) {
        const most = Math.min(layers, this.#mostLayers(k, both, seconds));
        if (most < 1) continue;
        const up = rest.hidden[k]! + lag[k]!;
        const down = both && from > low ? up : 0;
        dearest = Math.max(dearest, up);
        const compute = rest.forward[k]! + (both ? rest.backward[k]! : 0);
        offers.push({ each: compute + (up + down) / most, most });
      }
      offers.sort((a, b) => a.each - b.each);
      let left = Math.max(0, layers);
      let dealt = head - dearest;
      for (const { each, most } of offers) {
        const taken = Math.min(left, most);
        dealt += taken * each;
        left -= taken;
        if (left === 0) break;
      }
      above[from] = left > 0 ? Infinity : Math.max(shortest, dealt, 0);
    }
  }

  /** The most layers of one device's run by time; memory is left out. */
  #mostLayers(k: number, backward: boolean, seconds: number): number {
    const { first, rest, larger, microBatches } = this.#table;
    const all = (pass: PassSeconds) => pass.forward[k]! + (backward ? pass.backward[k]! : 0);
    const each = larger * all(first) + (microBatches - larger) * all(rest);
    return each > 0 ? Math.floor(seconds / each) : this.#rows.units;
  }

  #shortestAbove(from: number): number {
    const { units, low, devices, lag } = this.#rows;
    const { rest } = this.#table;
    let shortest = Infinity;
    for (let to = from + 1; to <= units; to++) {
      const layers = Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
      const trained = Math.max(0, Math.min(to, units - 1) - Math.max(from, low, 1));
      const beyond = this.#above[to]!;
      for (let k = 0; k < devices; k++) {
        const compute = layers * rest.forward[k]! + trained * rest.backward[k]! + (to === units ? rest.head[k]! : 0);
        const up = to === units ? 0 : sending(rest, k, to, units) + lag[k]!;
        const down = from > low ? sending(rest, k, from, units) + lag[k]! : 0;
        shortest = Math.min(shortest, compute + up + down + beyond);
      }
    }
    return shortest;
  }
}

const sending = (pass: PassSeconds, k: number, cut: number, units: number): number =>
  cut === units - 1 ? pass.headCut[k]! : pass.hidden[k]!;
