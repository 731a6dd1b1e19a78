import { Evaluator, type Pipeline } from '../pipelines/evaluator.ts';
import type { Rows } from '../pipelines/rows.ts';

/** A pipeline that takes so many of a round's samples; others with the whole model take the rest. */
export interface Replica {
  readonly samples: number;
  readonly pipeline: Pipeline;
}

/** A replica as it was last evaluated. */
export interface Rated extends Replica {
  readonly airtime: number;
  readonly loading: number;
  /** Of its round, beside those that it was evaluated with; loading left out. */
  readonly seconds: number;
  readonly busiest: number;
}

export interface RatedReplicas {
  readonly parts: readonly Rated[];
  readonly loading: number;
  /** Of the slowest, loading with it. */
  readonly seconds: number;
}

/** Evaluators for so many different numbers of samples are kept. */
const MOST_KEPT = 64;

/** Seconds of rounds in which several pipelines share the samples. */
export class ReplicaEvaluator {
  readonly rows: Rows;
  readonly #bySamples = new Map<number, Evaluator>();
  /** Of all simulations so far: what a search counts its work in. */
  operations = 0;

  constructor(rows: Rows) {
    this.rows = rows;
  }

  /** For pipelines that take so many samples. */
  at(samples: number): Evaluator {
    const known = this.#bySamples.get(samples);
    if (known !== undefined) return known;
    if (this.#bySamples.size === MOST_KEPT) this.#bySamples.clear();
    const { problem } = this.rows;
    const split = { ...problem.split, samples };
    const rows: Rows = {
      ...this.rows,
      samples,
      replayBytes: samples * split.replayBytesPerSample,
      problem: { ...problem, split },
    };
    const made = new Evaluator(rows);
    this.#bySamples.set(samples, made);
    return made;
  }

  /**
   * The replicas with their seconds; null where one does not fit, or as soon as it is known that they take `enough` or longer. Those that are
   * `Rated` already are not simulated again where no medium is shared.
   */
  rate(replicas: readonly (Replica | Rated)[], enough = Infinity): RatedReplicas | null {
    const measured: { airtime: number; loading: number; busiest: number }[] = [];
    let [airtime, loading] = [0, 0];
    for (const replica of replicas) {
      const own = 'airtime' in replica ? replica : this.#measure(replica);
      if (own === null) return null;
      measured.push(own);
      airtime += own.airtime;
      loading = Math.max(loading, own.loading);
    }
    const parts: Rated[] = [];
    let most = 0;
    for (const [i, { samples, pipeline, ...before }] of replicas.entries()) {
      const own = measured[i]!;
      let seconds: number;
      if ('airtime' in before && !this.rows.problem.shared) seconds = before.seconds;
      else {
        const evaluator = this.at(samples);
        evaluator.load(pipeline, Math.max(0, airtime - own.airtime));
        // What it must fetch itself counts in both, and once.
        const bar = enough - loading + own.loading;
        if (evaluator.bound() >= bar) return null;
        this.operations += evaluator.operations;
        const taken = evaluator.seconds(bar);
        if (taken === Infinity && bar < Infinity) return null;
        seconds = taken - own.loading;
      }
      if (seconds + loading >= enough) return null;
      most = Math.max(most, seconds);
      const { airtime: bits, loading: fetching, busiest } = own;
      parts.push({ samples, pipeline, airtime: bits, loading: fetching, busiest, seconds });
    }
    return { parts, loading, seconds: most + loading };
  }

  #measure({ samples, pipeline }: Replica): { airtime: number; loading: number; busiest: number } | null {
    const evaluator = this.at(samples);
    this.operations += LOADING * pipeline.stages;
    if (!evaluator.load(pipeline)) return null;
    return { airtime: evaluator.airtime, loading: evaluator.loading, busiest: evaluator.busiest };
  }
}

/** What reading a stage costs in operations of a simulation. */
const LOADING = 6;
