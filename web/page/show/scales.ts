import { bytesText, rateText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/show.ts';

/** A slider over a range of numbers that differ by factors: even steps of it are even factors. */
export interface Scale {
  readonly steps: number;
  at(step: number): number;
  /** The step that is nearest to a value. */
  stepOf(value: number): number;
  text(value: number): string;
}

const STEPS = 24;

function byFactors(from: number, to: number, text: (value: number) => string): Scale {
  const factor = Math.log(to / from);
  return {
    steps: STEPS,
    at: (step) => from * Math.exp((factor * step) / STEPS),
    stepOf: (value) => Math.max(0, Math.min(STEPS, Math.round((STEPS * Math.log(value / from)) / factor))),
    text,
  };
}

const SLOWEST = 16;

/** From so many times slower to as fast as it is. */
export const SPEED: Scale = {
  steps: STEPS,
  at: (step) => SLOWEST ** (1 - step / STEPS),
  stepOf: (slowdown) => Math.round(STEPS * (1 - Math.log(slowdown) / Math.log(SLOWEST))),
  text: (slowdown) => (slowdown < 1.05 ? say.fullSpeed : say.timesSlower(slowdown.toFixed(slowdown < 9.95 ? 1 : 0))),
};

export const MEMORY = byFactors(5e6, 1e9, bytesText);

const FASTEST_BITS = 2e8;
const PLAIN_UPLINK = byFactors(5e5, FASTEST_BITS, rateText);

/** The last step is as fast as the computer allows. */
export const UPLINK: Scale = {
  ...PLAIN_UPLINK,
  at: (step) => (step === STEPS ? Number.POSITIVE_INFINITY : PLAIN_UPLINK.at(step)),
  stepOf: (value) => (value >= FASTEST_BITS ? STEPS : PLAIN_UPLINK.stepOf(value)),
  text: (value) => (Number.isFinite(value) ? rateText(value) : say.asFastAsHere),
};
