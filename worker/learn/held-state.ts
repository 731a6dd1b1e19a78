import type { TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { LearnedState, StateUpdate } from '../api/host-api.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { applyGradient, createLearner, type Learner } from './learner.ts';
import { stateDigest } from './state-digest.ts';

/** A device's own copy of what its session has learned: it takes the host's steps itself, with the host's code, and so to the same bits. */
export class HeldState {
  readonly #training: TrainingSettings;
  readonly #learner: Learner;
  #version: number;

  /** Takes the vectors over. @throws RangeError when they are not those of the session. */
  constructor(layout: ParameterLayout, training: TrainingSettings, state: LearnedState) {
    const { version, values, firstMoment, secondMoment, steps } = state;
    for (const { length } of [values, firstMoment, secondMoment])
      if (length !== layout.length)
        throw new RangeError(`A state has ${length} values where the session has ${layout.length}.`);
    this.#training = training;
    this.#version = version;
    this.#learner = createLearner(layout, values, { steps, firstMoment, secondMoment }, training);
  }

  get version(): number {
    return this.#version;
  }

  /** The flat parameter vector; changed in place by `advance`. */
  get values(): Float32Array {
    return this.#learner.values;
  }

  get digest(): number {
    return stateDigest(this.#learner);
  }

  /** One step on; null for a round that was skipped, after which all but the version is as before. Gives the digest afterwards. */
  advance(update: Pick<StateUpdate, 'gradient' | 'learningRate'> | null): number {
    if (update !== null) applyGradient(this.#learner, update.gradient, update.learningRate, this.#training);
    this.#version += 1;
    return this.digest;
  }

  copy(): LearnedState {
    return { version: this.#version, digest: this.digest, ...copyOfLearned(this.#learner) };
  }
}

export function copyOfLearned({ values, optimiser }: Learner): Omit<LearnedState, 'version' | 'digest'> {
  const { steps, firstMoment, secondMoment } = optimiser;
  return { values: values.slice(), firstMoment: firstMoment.slice(), secondMoment: secondMoment.slice(), steps };
}
