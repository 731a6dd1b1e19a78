/** How much somebody may do: `burst` at once, and `perSecond` for ever. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left of a rate, as a bucket that fills up again while time passes. */
export interface Allowance {
  readonly left: number;
  readonly atMs: number;
}

export const fullAllowance = (rate: Rate, nowMs: number): Allowance => ({ left: rate.burst, atMs: nowMs });

/** The bucket as it is now. A clock that was set back fills nothing. */
export function refilled({ left, atMs }: Allowance, rate: Rate, nowMs: number): Allowance {
  const added = (Math.max(0, nowMs - atMs) / 1000) * rate.perSecond;
  return { left: Math.min(rate.burst, left + added), atMs: nowMs };
}

/** The bucket after taking `cost` out of it, or null when there is not so much in it. */
export function spend(allowance: Allowance, rate: Rate, nowMs: number, cost = 1): Allowance | null {
  const { left } = refilled(allowance, rate, nowMs);
  return left < cost ? null : { left: left - cost, atMs: nowMs };
}
