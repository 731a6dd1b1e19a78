import type { TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { LearnedState, PastState, StateUpdate } from '../api/host-api.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { applyGradient, createLearner, type Learner } from './learner.ts';
import { Snapshots } from './snapshots.ts';
import { stateDigest } from './state-digest.ts';

/** What a device keeps of earlier rounds, to undo some when it leads; of a model of which it could not keep three it keeps none. */
export const MAX_PAST_BYTES = 32 * 2 ** 20;
const LEAST_PAST = 3;

/** A device's own copy of what its session has learned: it takes the host's steps itself, with the host's code, and so to the same bits. */
export class HeldState {
  readonly #training: TrainingSettings;
  readonly #learner: Learner;
  /** Of the rounds before; null where there is not the room. */
  readonly #past: Snapshots<null> | null;
  #version: number;

  /**
   * Takes the vectors over. `before`: what the device held until now; its past is this one's where it leads here.
   * @throws RangeError when they are not those of the session.
   */
  constructor(
    layout: ParameterLayout,
    training: TrainingSettings,
    state: LearnedState,
    before: HeldState | null = null,
  ) {
    const { version, values, firstMoment, secondMoment, steps } = state;
    for (const { length } of [values, firstMoment, secondMoment])
      if (length !== layout.length)
        throw new RangeError(`A state has ${length} values where the session has ${layout.length}.`);
    this.#training = training;
    this.#version = version;
    this.#learner = createLearner(layout, values, { steps, firstMoment, secondMoment }, training);
    const bytes = 3 * Float32Array.BYTES_PER_ELEMENT * layout.length;
    this.#past =
      LEAST_PAST * bytes > MAX_PAST_BYTES
        ? null
        : ((before === null ? null : before.#past) ?? new Snapshots(MAX_PAST_BYTES));
    this.#past?.follow(version, this.#learner);
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
    // That the state until here is the host's was found before: otherwise there would be no step from it.
    this.#past?.keep(this.#version, this.#learner, null);
    if (update !== null) applyGradient(this.#learner, update.gradient, update.learningRate, this.#training);
    this.#version += 1;
    return this.digest;
  }

  /** What was learned after earlier rounds; it is kept here no longer. */
  handOverPast(): readonly PastState[] {
    return this.#past?.handOver() ?? [];
  }

  copy(): LearnedState {
    return { version: this.#version, digest: this.digest, ...copyOfLearned(this.#learner) };
  }
}

export function copyOfLearned({ values, optimiser }: Learner): Omit<LearnedState, 'version' | 'digest'> {
  const { steps, firstMoment, secondMoment } = optimiser;
  return { values: values.slice(), firstMoment: firstMoment.slice(), secondMoment: secondMoment.slice(), steps };
}
