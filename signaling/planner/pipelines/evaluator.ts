import { type PassTable, passTable, type Rows } from './rows.ts';

/** A pipeline as rows of devices and the ends of their runs, from the embeddings up. */
export interface Pipeline {
  readonly devices: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
  /** S; the rows may be longer. */
  readonly stages: number;
  /** M. */
  readonly microBatches: number;
  /** Windows grow by so many from the last stage down; Infinity where only memory bounds them. */
  readonly rule: number;
}

/**
 * Seconds of many pipelines, with the part of their loading that falls on a round: `load` reads one, `bound` says in O(S) what it cannot beat, `seconds` simulates it in
 * O(S M). The same round as `schedule` of signaling/protocol/pipeline, without a trace; the tests hold them equal.
 */
export class Evaluator {
  readonly rows: Rows;
  readonly #tables: (PassTable | undefined)[] = [];
  #table: PassTable;
  #stages = 0;
  /** The lowest stage that trains. */
  #lowest = 0;
  readonly #windows: Int32Array;
  /** (S) seconds by stage: of a micro-batch of the largest size, and of one of the smallest. */
  readonly #forward: readonly [Float64Array, Float64Array];
  readonly #backward: readonly [Float64Array, Float64Array];
  readonly #up: readonly [Float64Array, Float64Array];
  readonly #down: readonly [Float64Array, Float64Array];
  readonly #lag: Float64Array;
  /** With the host's own where it hands on. */
  readonly #lagUp: Float64Array;
  readonly #lagDown: Float64Array;
  /** Of sending gradients, with the lag; 0 for the host. */
  readonly #gradients: Float64Array;
  /** Of fetching what its devices lack, for each of the rounds that are left: a part of what a search minimises. */
  #loading = 0;
  #airtime = 0;
  readonly #processor: Float64Array;
  readonly #uplink: Float64Array;
  /** (S, M) when gradients of hidden states arrive at a stage. */
  readonly #arrivals: Float64Array;
  readonly #roundTrip: readonly [Float64Array, Float64Array];

  constructor(rows: Rows) {
    this.rows = rows;
    this.#table = passTable(rows, 1);
    const most = Math.min(rows.devices, rows.units);
    const pair = (length: number): readonly [Float64Array, Float64Array] => [
      new Float64Array(length),
      new Float64Array(length),
    ];
    this.#windows = new Int32Array(most);
    this.#forward = pair(most);
    this.#backward = pair(most);
    this.#up = pair(most);
    this.#down = pair(most);
    this.#lag = new Float64Array(most);
    this.#lagUp = new Float64Array(most);
    this.#lagDown = new Float64Array(most);
    this.#gradients = new Float64Array(most);
    this.#processor = new Float64Array(most);
    this.#uplink = new Float64Array(most);
    this.#arrivals = new Float64Array(most * rows.samples);
    this.#roundTrip = pair(most + 1);
  }

  table(microBatches: number): PassTable {
    this.#tables[microBatches] ??= passTable(this.rows, microBatches);
    return this.#tables[microBatches];
  }

  /** Operations of the last pipeline's simulation: what a search counts its work in. */
  get operations(): number {
    return 2 * this.#stages * this.#table.microBatches;
  }

  /** The stage of the loaded pipeline whose passes take longest together. */
  get busiest(): number {
    const [f1, fM] = this.#forward;
    const [b1, bM] = this.#backward;
    const { larger, microBatches } = this.#table;
    let most = -1;
    let busiest = 0;
    for (let s = 0; s < this.#stages; s++) {
      const busy = larger * (f1[s] + b1[s]) + (microBatches - larger) * (fM[s] + bM[s]);
      if (busy > most) {
        most = busy;
        busiest = s;
      }
    }
    return busiest;
  }

  /** Where one medium is shared, the seconds that the loaded pipeline's own bits take on it; 0 elsewhere. */
  get airtime(): number {
    return this.#airtime;
  }

  /** False where a stage does not fit its device. `besides` is the airtime of whatever else there is on a shared medium. */
  load({ devices, ends, stages, microBatches, rule }: Pipeline, besides = 0): boolean {
    const { rows } = this;
    const { units, low } = rows;
    const table = this.table(microBatches);
    this.#table = table;
    this.#stages = stages;
    this.#lowest = stages;
    this.#loading = 0;
    this.#airtime = 0;
    let cap = microBatches;
    let from = 0;
    for (let s = 0; s < stages; s++) {
      const k = devices[s];
      const to = ends[s];
      const layers = Math.min(to, units - 1) - Math.max(from, 1);
      const trained = Math.min(to, units - 1) - Math.max(from, low, 1);
      const forwards = layers > 0 ? layers : 0;
      const backwards = trained > 0 ? trained : 0;
      let free =
        rows.limit[k] -
        (from === 0 ? rows.embeddingBytes[k] : rows.replayBytes) -
        forwards * rows.layerBytes[k] -
        table.largest * rows.transient[k] -
        backwards * rows.gradientBytes[k];
      if (to === units) free -= rows.headBytes[k];
      if (free < 0) return false;
      const trains = to > low;
      if (trains) {
        if (this.#lowest === stages) this.#lowest = s;
        const each = table.largest * backwards * rows.saved[k];
        if (each > 0 && free < cap * each) {
          cap = Math.floor(free / each);
          if (cap < 1) return false;
        }
      }
      const wanted = rule === Infinity ? cap : rule * (stages - 1 - s) + 1;
      this.#windows[s] = !trains ? 0 : wanted < cap ? wanted : cap;
      for (let size = 0; size < 2; size++) {
        const pass = size === 0 ? table.first : table.rest;
        this.#forward[size][s] = (from === 0 ? pass.embed[k] : 0) + forwards * pass.forward[k];
        this.#backward[size][s] = trains ? backwards * pass.backward[k] + (to === units ? pass.head[k] : 0) : 0;
        this.#up[size][s] = to === units ? 0 : to === units - 1 ? pass.headCut[k] : pass.hidden[k];
        this.#down[size][s] = from > low ? (from === units - 1 ? pass.headCut[k] : pass.hidden[k]) : 0;
      }
      this.#lag[s] = rows.lag[k];
      this.#lagUp[s] = rows.lag[k];
      this.#lagDown[s] = rows.lag[k];
      const bits = rows.gradientBitsBelow[to] - rows.gradientBitsBelow[from];
      this.#gradients[s] = trains && k !== rows.host ? bits / rows.rate[k] + rows.lag[k] : 0;
      const fetching = rows.loading?.[k];
      if (fetching !== undefined) this.#loading = Math.max(this.#loading, fetching[from * (units + 1) + to]);
      from = to;
    }
    if (rows.relayed !== undefined) this.#relay(devices, rows.relayed);
    if (rows.problem.shared) this.#share(besides);
    return true;
  }

  /** Between stages that cannot meet, messages go out twice: see `timesOf`. */
  #relay(devices: ArrayLike<number>, relayed: Uint8Array): void {
    const { devices: count, rate, lag, host } = this.rows;
    for (let s = 1; s < this.#stages; s++) {
      const [below, above] = [devices[s - 1], devices[s]];
      if (relayed[below * count + above] === 0) continue;
      const [fromBelow, fromAbove] = host < 0 ? [below, above] : [host, host];
      for (let size = 0; size < 2; size++) {
        this.#up[size][s - 1] *= 1 + rate[below] / rate[fromBelow];
        this.#down[size][s] *= 1 + rate[above] / rate[fromAbove];
      }
      this.#lagUp[s - 1] += lag[fromBelow];
      this.#lagDown[s] += lag[fromAbove];
    }
  }

  /** Stretches all transfers: see `withShares`. */
  #share(besides: number): void {
    const { larger, microBatches } = this.#table;
    const [x1, xM] = this.#up;
    const [z1, zM] = this.#down;
    const airtimes = this.#processor;
    let all = 0;
    for (let s = 0; s < this.#stages; s++) {
      const gradients = this.#gradients[s] > 0 ? this.#gradients[s] - this.#lag[s] : 0;
      airtimes[s] = larger * (x1[s] + z1[s]) + (microBatches - larger) * (xM[s] + zM[s]) + gradients;
      all += airtimes[s];
    }
    this.#airtime = all;
    all += besides;
    for (let s = 0; s < this.#stages; s++) {
      const longer = airtimes[s] > 0 ? all / airtimes[s] : 0;
      x1[s] *= longer;
      xM[s] *= longer;
      z1[s] *= longer;
      zM[s] *= longer;
      if (this.#gradients[s] > 0) this.#gradients[s] = (this.#gradients[s] - this.#lag[s]) * longer + this.#lag[s];
    }
  }

  /** Seconds of fetching that each of the rounds left must make up for: in `bound` and `seconds` already. */
  get loading(): number {
    return this.#loading;
  }

  /** What the loaded pipeline cannot beat (docs/planner.md has the proof). */
  bound(): number {
    const [f1, fM] = this.#forward;
    const [b1, bM] = this.#backward;
    const [x1, xM] = this.#up;
    const [z1, zM] = this.#down;
    const { microBatches: M, larger } = this.#table;
    const smaller = M - larger;
    const stages = this.#stages;
    const lowest = this.#lowest;
    const lagUp = this.#lagUp;
    const lagDown = this.#lagDown;
    const gradients = this.#gradients;
    const [up1, upM] = this.#roundTrip;
    up1[stages] = 0;
    upM[stages] = 0;
    for (let s = stages - 1; s >= 0; s--) {
      const lags = (s < stages - 1 ? lagUp[s] : 0) + (s > lowest ? lagDown[s] : 0);
      up1[s] = up1[s + 1] + f1[s] + x1[s] + b1[s] + z1[s] + lags;
      upM[s] = upM[s + 1] + fM[s] + xM[s] + bM[s] + zM[s] + lags;
    }
    const drain = gradients[lowest];
    let seconds = 0;
    // What the first batch needs to get to the stage; and with it what the last one needs from there down to the end.
    let ahead = 0;
    let around = 0;
    for (let s = 0; s < stages; s++) {
      const top = s === stages - 1;
      const f = larger * f1[s] + smaller * fM[s];
      const upFirst = top ? 0 : x1[s] + lagUp[s];
      const upLast = top ? 0 : xM[s] + lagUp[s];
      const down = s > lowest ? zM[s] + lagDown[s] : 0;
      const up = larger * x1[s] + smaller * xM[s];
      if (s < lowest) {
        const forwards = f + upLast;
        const sending = f1[s] + up + lagUp[s];
        seconds = Math.max(seconds, ahead + (forwards > sending ? forwards : sending) + upM[s + 1] + drain);
      } else {
        const b = larger * b1[s] + smaller * bM[s];
        const g = gradients[s];
        const busy = f + b;
        const there = f1[s] + upFirst + up1[s + 1] + b;
        const work = busy > there ? busy : there;
        seconds = Math.max(seconds, around + work + down, ahead + work + (s > lowest ? zM[s] : 0) + g);
        const trips = Math.ceil(M / this.#windows[s]);
        seconds = Math.max(seconds, around + trips * (fM[s] + upLast + upM[s + 1] + bM[s]) + down);
        if (s === lowest) {
          if (!top) seconds = Math.max(seconds, around + f1[s] + up + lagUp[s] + upM[s + 1] + bM[s] + g);
        } else {
          const airtime = up + larger * z1[s] + smaller * zM[s];
          seconds = Math.max(
            seconds,
            around + f1[s] + airtime + Math.min(lagUp[s], lagDown[s]),
            ahead + f1[s] + airtime + g,
          );
        }
      }
      ahead += f1[s] + upFirst;
      around += f1[s] + upFirst + bM[s] + down + (s === lowest ? drain : 0);
    }
    return seconds + this.#loading;
  }

  /** The loaded pipeline's round; Infinity as soon as it is known to take `enough` or longer. */
  seconds(enough = Infinity): number {
    const { microBatches: M, larger } = this.#table;
    const stages = this.#stages;
    const lowest = this.#lowest;
    const top = stages - 1;
    const processor = this.#processor;
    const uplink = this.#uplink;
    const windows = this.#windows;
    const arrivals = this.#arrivals;
    const lagUp = this.#lagUp;
    const lagDown = this.#lagDown;
    const [b1, bM] = this.#backward;
    const [z1, zM] = this.#down;
    for (let s = 0; s < stages; s++) {
      processor[s] = 0;
      uplink[s] = 0;
    }
    // In step t a stage goes forward with micro-batch t, then backward with t - w + 1: all that they wait for is done by then.
    const steps = M + windows[lowest] - 1;
    let highest = top;
    for (let t = 0; t < steps; t++) {
      if (t < M) {
        const size = t < larger ? 0 : 1;
        const forward = this.#forward[size];
        const up = this.#up[size];
        let arrival = 0;
        for (let s = 0; s < top; s++) {
          const free = processor[s];
          const end = (free > arrival ? free : arrival) + forward[s];
          processor[s] = end;
          const idle = uplink[s];
          const sent = (idle > end ? idle : end) + up[s];
          uplink[s] = sent;
          arrival = sent + lagUp[s];
        }
        const free = processor[top];
        processor[top] = (free > arrival ? free : arrival) + forward[top];
      }
      while (highest > lowest && t - windows[highest] + 1 >= M) highest--;
      for (let s = highest; s >= lowest; s--) {
        const j = t - windows[s] + 1;
        if (j < 0) break;
        const arrival = s === top ? 0 : arrivals[s * M + j];
        const free = processor[s];
        const end = (free > arrival ? free : arrival) + (j < larger ? b1 : bM)[s];
        processor[s] = end;
        if (s > lowest) {
          const idle = uplink[s];
          const sent = (idle > end ? idle : end) + (j < larger ? z1 : zM)[s];
          uplink[s] = sent;
          arrivals[(s - 1) * M + j] = sent + lagDown[s];
        }
      }
      if (processor[lowest] >= enough) return Infinity;
    }
    let seconds = 0;
    for (let s = lowest; s < stages; s++) {
      const gradients = this.#gradients[s];
      const done = gradients === 0 ? processor[s] : Math.max(uplink[s], processor[s]) + gradients;
      if (done > seconds) seconds = done;
    }
    seconds += this.#loading;
    return seconds < enough ? seconds : Infinity;
  }
}
