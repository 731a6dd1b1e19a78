import type { BenchCase } from './cases.ts';

/** One way of doing a training step. */
export interface Contender {
  readonly id: string;
  open(benchCase: BenchCase): Promise<OpenContender>;
}

export interface OpenContender {
  /** One step, its loss (sum over the samples) and flat gradient in ParameterLayout's order read back. */
  step(): Promise<StepResult>;
  close(): Promise<void>;
}

export interface StepResult {
  readonly lossSum: number;
  readonly gradient: Float32Array;
  /** Processor time of the step, where it was not this process that did the work. */
  readonly cpuSeconds?: number;
  /** Milliseconds of the step itself, where the caller also waits for what is no part of it. */
  readonly wallMs?: number;
}
