/**
 * What a bound loses before it is stated. A bound compares a sum of hertz with the bandwidth: at most 200,000 terms, each rounded by
 * 2^-53 of itself, are off by 2e-11; where prices and gains cancel (teams) the terms are some times their sum, tens at most. Needing hertz
 * falls at least as fast as the seconds rise, so the latency is off by no larger a part of itself.
 */
const ROUNDING = 1e-9;

/** A lower bound from a search in floating-point numbers, made safe to state. */
export const statedBound = (seconds: number): number => seconds * (1 - ROUNDING);
