import type { PassTable, Rows } from './rows.ts';
import { type RunOffers, runOffers } from './run-offers.ts';

/** Labels of a position are told apart to this part of the threshold; of those that are not, the least label and the least cost count. */
const BUCKETS = 128;

/** Chains of which a question is; those that cost `enough` are of no interest. */
interface Among {
  /** Their whole label, at most. */
  readonly longest?: number;
  /** What any of their stages does beside the chain's label, at most. */
  readonly beside?: number;
  readonly enough?: number;
}

/** Before anything was worked out. */
const none = new Float64Array(0);
const NOTHING: RunOffers = {
  ...{ start: new Int32Array(0), place: new Int32Array(0), device: new Int32Array(0), label: none, always: none },
  ...{ once: none, trips: none, cycle: none, after: none, alone: none, beside: none },
};

/**
 * Chains of runs at one count of micro-batches, in which a device may come twice. A chain's *label* at a cut is what the first micro-batch
 * needs to get there, and the last one from there down to the end: it adds up along the chain. A stage's own *need* must fit between the
 * label below it and the threshold. Both are those of `Evaluator.bound`, with the least round trip above in place of the chain's own.
 */
export class RunPaths {
  readonly #rows: Rows;
  readonly #buckets: number;
  #table: PassTable;
  readonly #side: number;
  /** By count of micro-batches, as they are asked for. */
  readonly #known = new Map<PassTable, RunOffers>();
  #offers: RunOffers = NOTHING;
  /** By offer: its need at the threshold. */
  #need = new Float64Array(0);
  /** By (from, to): the least need of all devices. */
  readonly #leastNeed: Float64Array;
  /** By cut: the least round trip of a micro-batch above it. */
  readonly #above: Float64Array;
  /** (K) while layers are dealt: the most that a device may have, what one costs there, and the devices in that order. */
  readonly #mostForward: Float64Array;
  readonly #mostBoth: Float64Array;
  readonly #dealt: Float64Array;
  readonly #each: Float64Array;
  readonly #dealing: Int32Array;
  readonly #cheaper = (a: number, b: number): number => this.#each[a]! - this.#each[b]!;
  #threshold = 0;
  /** By cut and bucket. */
  readonly #cost: Float64Array;
  readonly #least: Float64Array;
  /** The state and the device by which the cost was reached. */
  readonly #from: Int32Array;
  readonly #by: Int32Array;
  /** Devices by price; and the offers for a run that no cheaper one beats in label and need: for the question under way. */
  readonly #byPrice: number[];
  readonly #shortlist: Int32Array;
  /** States of a cut that a question goes on from. */
  readonly #open: Int32Array;
  /** (K) units of the longest run that fits before the threshold. */
  readonly reach: Int32Array;
  /** By cut, the least price of going on from there, whatever the labels; and by length that of a device with such a run. */
  readonly #toGo: Float64Array;
  readonly #ofLength: Float64Array;
  /** (K) how often the cheapest chain uses each device. */
  readonly uses: Int32Array;
  /** From one stage to the next that the last question looked at. */
  steps = 0;

  constructor(rows: Rows, table: PassTable, buckets = BUCKETS) {
    this.#buckets = buckets;
    this.#byPrice = [...Array(rows.devices).keys()];
    this.#shortlist = new Int32Array(rows.devices);
    this.#rows = rows;
    this.#table = table;
    this.#side = rows.units + 1;
    const runs = this.#side ** 2;
    this.#leastNeed = new Float64Array(runs);
    this.#mostForward = new Float64Array(rows.devices);
    this.#mostBoth = new Float64Array(rows.devices);
    this.#dealt = new Float64Array(rows.devices);
    this.#each = new Float64Array(rows.devices);
    this.#dealing = new Int32Array(rows.devices);
    this.#above = new Float64Array(this.#side);
    const states = this.#side * buckets;
    this.#cost = new Float64Array(states);
    this.#least = new Float64Array(states);
    this.#from = new Int32Array(states);
    this.#by = new Int32Array(states);
    this.#open = new Int32Array(buckets);
    this.reach = new Int32Array(rows.devices);
    this.#toGo = new Float64Array(this.#side);
    this.#ofLength = new Float64Array(this.#side);
    this.uses = new Int32Array(rows.devices);
  }

  #offersOf(table: PassTable): RunOffers {
    const known = this.#known.get(table) ?? runOffers(this.#rows, table);
    this.#known.set(table, known);
    return known;
  }

  /** Works out what stages need at a threshold and a count of micro-batches. */
  prepare(table: PassTable, seconds: number): void {
    this.#table = table;
    this.#threshold = seconds;
    this.#roundTrips(seconds);
    const { units } = this.#rows;
    // Where the quickest way there and back takes longer there is no chain.
    if (this.#above[0]! >= seconds) return void this.#leastNeed.fill(Infinity);
    const offers = this.#offersOf(table);
    const { start, device, always, once, trips, cycle, after, alone } = offers;
    const reach = this.reach.fill(0);
    this.#offers = offers;
    if (this.#need.length < always.length) this.#need = new Float64Array(always.length);
    const needs = this.#need;
    for (let from = 0; from < units; from++)
      for (let to = from + 1; to <= units; to++) {
        const run = from * this.#side + to;
        const above = this.#above[to]!;
        let least = Infinity;
        const length = to - from;
        for (let at = start[run]!; at < start[run + 1]!; at++) {
          const again = trips[at] === 0 ? 0 : trips[at]! * (cycle[at]! + above) + after[at]!;
          const need = alone[at]! > seconds ? Infinity : Math.max(always[at]!, once[at]! + above, again);
          needs[at] = need;
          if (need < least) least = need;
          if (need <= seconds && length > reach[device[at]!]!) reach[device[at]!] = length;
        }
        this.#leastNeed[run] = least;
      }
  }

  /** What a run adds to the label; Infinity where it does not fit the device. */
  label(k: number, from: number, to: number): number {
    const at = this.#offers.place[(from * this.#side + to) * this.#rows.devices + k]!;
    return at < 0 ? Infinity : this.#offers.label[at]!;
  }

  /** What a run needs between the label below it and the threshold; Infinity where it does not fit the device. */
  need(k: number, from: number, to: number): number {
    const at = this.#offers.place[(from * this.#side + to) * this.#rows.devices + k]!;
    return at < 0 ? Infinity : this.#need[at]!;
  }

  /** (N + 1) the largest label of each cut from which some chain gets to the end within `seconds`; -Infinity for none. */
  latest(seconds: number, into: Float64Array): void {
    const { units } = this.#rows;
    const { start, label: labels } = this.#offers;
    into.fill(-Infinity);
    into[units] = seconds;
    for (let from = units - 1; from >= 0; from--)
      for (let to = from + 1; to <= units; to++) {
        const run = from * this.#side + to;
        for (let at = start[run]!; at < start[run + 1]!; at++) {
          const label = Math.min(seconds - this.#need[at]!, into[to]! - labels[at]!);
          if (label > into[from]!) into[from] = label;
        }
      }
  }

  /** Seconds that it was prepared for. */
  get threshold(): number {
    return this.#threshold;
  }

  /** The least round trip of a micro-batch through all units. */
  get around(): number {
    return this.#above[0]!;
  }

  /** The least price of a chain that finishes before the threshold; Infinity where there is none below `enough`. */
  cheapest(prices: Float64Array, { longest = Infinity, beside = Infinity, enough = Infinity }: Among = {}): number {
    const { units } = this.#rows;
    const buckets = this.#buckets;
    const cost = this.#cost.fill(Infinity);
    const least = this.#least.fill(Infinity);
    const { label, device } = this.#offers;
    const need = this.#need;
    const shortlist = this.#shortlist;
    const scale = buckets / this.#threshold;
    this.#byPrice.sort((a, b) => prices[a]! - prices[b]! || a - b);
    this.#pricesToGo(prices);
    const toGo = this.#toGo;
    cost[0] = 0;
    least[0] = 0;
    this.steps = 0;
    const open = this.#open;
    for (let from = 0; from < units; from++) {
      let room = -Infinity;
      let states = 0;
      let lowest = enough - toGo[from]!;
      for (let state = from * buckets; state < (from + 1) * buckets; state++) {
        // With a smaller label for no more there is nothing that this one could do better.
        if (cost[state]! >= lowest) continue;
        lowest = cost[state]!;
        open[states++] = state;
        room = Math.max(room, this.#threshold - least[state]!);
      }
      if (states === 0) continue;
      for (let to = from + 1; to <= units; to++) {
        const run = from * this.#side + to;
        if (this.#leastNeed[run]! > room) continue;
        const most = enough - toGo[to]!;
        const offers = this.#shortlisted(run, room, beside);
        const above = longest - this.#above[to]!;
        this.steps += offers * states;
        for (let i = 0; i < offers; i++) {
          const at = shortlist[i]!;
          const k = device[at]!;
          const added = label[at]!;
          const price = prices[k]!;
          const latest = Math.min(above - added, this.#threshold - need[at]!);
          for (let j = 0; j < states; j++) {
            const state = open[j]!;
            const below = least[state]!;
            if (below > latest) break;
            const paid = cost[state]! + price;
            if (paid >= most) continue;
            const reached = below + added;
            const bucket = Math.floor(reached * scale);
            if (bucket >= buckets) continue;
            const next = to * buckets + bucket;
            if (reached < least[next]!) least[next] = reached;
            if (paid < cost[next]!) {
              cost[next] = paid;
              this.#from[next] = state;
              this.#by[next] = k;
            }
          }
        }
      }
    }
    let best = units * buckets;
    for (let state = best; state < (units + 1) * buckets; state++) if (cost[state]! < cost[best]!) best = state;
    this.#follow(best);
    return cost[best]!;
  }

  #pricesToGo(prices: Float64Array): void {
    const { units, devices } = this.#rows;
    const toGo = this.#toGo.fill(Infinity);
    const ofLength = this.#ofLength.fill(Infinity);
    for (let k = 0; k < devices; k++) {
      const length = this.reach[k]!;
      if (prices[k]! < ofLength[length]!) ofLength[length] = prices[k]!;
    }
    for (let length = units - 1; length >= 1; length--)
      ofLength[length] = Math.min(ofLength[length]!, ofLength[length + 1]!);
    toGo[units] = 0;
    for (let from = units - 1; from >= 0; from--)
      for (let to = from + 1; to <= units; to++) toGo[from] = Math.min(toGo[from]!, ofLength[to - from]! + toGo[to]!);
  }

  /** Writes down the offers for a run with which a chain with so much room may go on, the cheapest first; returns how many there are. */
  #shortlisted(run: number, room: number, most: number): number {
    const { place, label, beside } = this.#offers;
    const need = this.#need;
    const first = run * this.#rows.devices;
    const shortlist = this.#shortlist;
    let count = 0;
    for (const k of this.#byPrice) {
      const at = place[first + k]!;
      if (at < 0 || need[at]! > room || beside[at]! > most) continue;
      let beaten = false;
      for (let i = 0; i < count && !beaten; i++)
        beaten = label[shortlist[i]!]! <= label[at]! && need[shortlist[i]!]! <= need[at]!;
      if (!beaten) shortlist[count++] = at;
    }
    this.steps += this.#rows.devices;
    return count;
  }

  #follow(last: number): void {
    this.uses.fill(0);
    if (this.#cost[last] === Infinity) return;
    for (let state = last; state >= this.#buckets; state = this.#from[state]!) this.uses[this.#by[state]!]!++;
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
    this.#mostLayers(seconds);
    for (let from = units - 1; from >= 0; from--) {
      const shortest = this.#shortestAbove(from);
      // Layers above the cut, and whether they go backward too: where some do not, only forward seconds count for all.
      const layers = units - 1 - Math.max(from, 1);
      const both = units - 1 - Math.max(from, low, 1) === layers;
      let count = 0;
      let dearest = 0;
      for (let k = 0; k < devices; k++) {
        const most = Math.min(layers, both ? this.#mostBoth[k]! : this.#mostForward[k]!);
        if (most < 1) continue;
        const up = rest.hidden[k]! + lag[k]!;
        const down = both && from > low ? up : 0;
        if (up > dearest) dearest = up;
        const compute = rest.forward[k]! + (both ? rest.backward[k]! : 0);
        this.#dealt[k] = most;
        this.#each[k] = compute + (up + down) / most;
        this.#dealing[count++] = k;
      }
      const order = this.#dealing.subarray(0, count).sort(this.#cheaper);
      let left = Math.max(0, layers);
      let dealt = head - dearest;
      for (let i = 0; i < count && left > 0; i++) {
        const taken = Math.min(left, this.#dealt[order[i]!]!);
        dealt += taken * this.#each[order[i]!]!;
        left -= taken;
      }
      above[from] = left > 0 ? Infinity : Math.max(shortest, dealt, 0);
    }
  }

  /** (K) the most layers of one device's run by time, with their backward passes and without; memory is left out. */
  #mostLayers(seconds: number): void {
    const { first, rest, larger, microBatches } = this.#table;
    const smaller = microBatches - larger;
    for (let k = 0; k < this.#rows.devices; k++) {
      const forward = larger * first.forward[k]! + smaller * rest.forward[k]!;
      const both = forward + larger * first.backward[k]! + smaller * rest.backward[k]!;
      this.#mostForward[k] = forward > 0 ? Math.floor(seconds / forward) : this.#rows.units;
      this.#mostBoth[k] = both > 0 ? Math.floor(seconds / both) : this.#rows.units;
    }
  }

  #shortestAbove(from: number): number {
    const { units, low, devices, lag } = this.#rows;
    const { rest } = this.#table;
    const { forward, backward, head, hidden, headCut } = rest;
    const downs = from === units - 1 ? headCut : hidden;
    const sends = from > low;
    let shortest = Infinity;
    for (let to = from + 1; to <= units; to++) {
      const layers = Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
      const trained = Math.max(0, Math.min(to, units - 1) - Math.max(from, low, 1));
      const beyond = this.#above[to]!;
      const isTop = to === units;
      const ups = to === units - 1 ? headCut : hidden;
      for (let k = 0; k < devices; k++) {
        let way = layers * forward[k]! + trained * backward[k]! + beyond;
        way += isTop ? head[k]! : ups[k]! + lag[k]!;
        if (sends) way += downs[k]! + lag[k]!;
        if (way < shortest) shortest = way;
      }
    }
    return shortest;
  }
}
