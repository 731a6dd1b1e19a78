import type { Step } from '../../../signaling/protocol/round.ts';

/**
 * When a device that a plan leaves out measures itself again, as data. What it measured first may say little: its machine was busy, or its
 * link was. Soon at first, then after pauses that double up to a bound; a plan that used it for long makes it begin anew. Devices that are
 * left out together take turns, so that the host answers one probe after the other.
 */

/** From being left out to the first measurement. */
const FIRST_PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 600_000;
/** Between the turns of devices that are left out together. */
const TURN_MS = 2000;
/** Measurements in a row that a busy machine may spoil: each is followed by as long a pause as the one before. */
const MAX_SPOILT = 3;

/** `out`: the plan goes on without this device; `in`: it has a part; `none`: there is no plan, or nothing that it could do in one. */
export type Place = 'out' | 'in' | 'none';

export interface AgainState {
  readonly place: Place;
  /** Since when plans have used it, whatever there was in between but being left out; null while it is left out. */
  readonly usedSinceMs: number | null;
  /** Before the next measurement. */
  readonly pauseMs: number;
  /** Measurements in a row that were spoilt. */
  readonly spoilt: number;
  /** Its place among those that are left out, from 0. */
  readonly turn: number;
  readonly isMeasuring: boolean;
}

export type AgainEvent =
  | { readonly type: 'placed'; readonly place: Place; readonly turn: number; readonly atMs: number }
  /** The wait is over. */
  | { readonly type: 'due' }
  /** `missed`: other work came first; `busy`: something else ran on the machine. */
  | { readonly type: 'measured'; readonly how: 'well' | 'busy' | 'missed' };

export type AgainEffect =
  /** In place of any wait before; null for none. */
  { readonly type: 'wait'; readonly ms: number | null } | { readonly type: 'measure' };

export const NOT_LEFT_OUT: AgainState = {
  place: 'none',
  usedSinceMs: null,
  pauseMs: FIRST_PAUSE_MS,
  spoilt: 0,
  turn: 0,
  isMeasuring: false,
};

export const stepAgain: Step<AgainState, AgainEvent, AgainEffect> = (state, event) => {
  switch (event.type) {
    case 'placed':
      return placed(state, event);
    case 'due':
      if (state.place !== 'out' || state.isMeasuring) return { state, effects: [] };
      return { state: { ...state, isMeasuring: true }, effects: [{ type: 'measure' }] };
    case 'measured': {
      const isSpoilt = event.how === 'busy' && state.spoilt < MAX_SPOILT;
      const again = isSpoilt || event.how === 'missed';
      const next: AgainState = {
        ...state,
        isMeasuring: false,
        spoilt: isSpoilt ? state.spoilt + 1 : 0,
        pauseMs: again ? state.pauseMs : Math.min(MAX_PAUSE_MS, 2 * state.pauseMs),
      };
      return { state: next, effects: next.place === 'out' ? [wait(next)] : [] };
    }
    default:
      return event satisfies never;
  }
};

const wait = ({ pauseMs, turn }: AgainState): AgainEffect => ({ type: 'wait', ms: pauseMs + turn * TURN_MS });

function placed(before: AgainState, { place, turn, atMs }: Extract<AgainEvent, { type: 'placed' }>) {
  const state = { ...before, turn };
  if (place === before.place) return { state, effects: [] };
  if (place === 'out') {
    const isForgotten = before.usedSinceMs !== null && atMs - before.usedSinceMs >= MAX_PAUSE_MS;
    const pauseMs = isForgotten ? FIRST_PAUSE_MS : before.pauseMs;
    const next = { ...state, place, pauseMs, usedSinceMs: null };
    return { state: next, effects: before.isMeasuring ? [] : [wait(next)] };
  }
  const usedSinceMs = place === 'in' ? (before.usedSinceMs ?? atMs) : before.usedSinceMs;
  const effects: AgainEffect[] = before.place === 'out' ? [{ type: 'wait', ms: null }] : [];
  return { state: { ...state, place, usedSinceMs }, effects };
}
