import type { FurtherScore, Metric } from '../../signaling/protocol/scores.ts';
import type { LoraSettings, ModelSource, TaskSummary, TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { ParameterLayout } from '../model/layout.ts';

/** A score on the dev set after a round. */
export interface ScoreAt {
  readonly round: number;
  readonly metric: Metric;
  readonly value: number;
  /** What the best constant answer scores; unknown of scores of 0.1.0. */
  readonly constant?: number | undefined;
  /** Of which it is; of scores of 0.1.0 that is the whole dev set. */
  readonly examples?: number | undefined;
  /** What is reported besides; empty where that is nothing. */
  readonly further: readonly FurtherScore[];
}

/** What an adapter was trained from and how far. */
export interface TrainedAdapter {
  readonly model: ModelSource;
  readonly task: TaskSummary;
  readonly lora: LoraSettings;
  readonly training: TrainingSettings;
  readonly layout: ParameterLayout;
  /** The flat vector of `layout`. */
  readonly values: Float32Array;
  readonly rounds: number;
  /** How many devices' gradients are in it. */
  readonly devices: number;
  /** Oldest first; the last one belongs to `values` when its round is `rounds`. */
  readonly scores: readonly ScoreAt[];
}
