import type { Step } from '../../../../signaling/protocol/round.ts';
import type { Around, Audit, AuditEffect, AuditState, Given, Stepped } from './audit-state.ts';
import { replaced } from './audit-state.ts';
import type { Made, Mismatch } from './compare.ts';
import { afterRound, isDue, standingOf, undone } from './standing.ts';
import { asked, caught, judge, unaudited, withoutAsked, withSeen } from './verdict.ts';

/**
 * Which parts are computed again, by whom, and what follows, as data. A device's part in a round is one contribution: all that it gave to the
 * round, in one order or several. What one computed and another one did, too, is right. Where the two differ, somebody else computes it
 * as well, until two say the same: the audited one may lie, and the auditor. The host's own device is not audited, for what the host wants it
 * does anyway; where nobody else is left it is believed.
 */

/** Audits under way, at most; devices whose round would be one more are audited in a later one. */
const MAX_OPEN = 192;
/** The values that they hold, in bytes. */
const MAX_OPEN_BYTES = 256 * 2 ** 20;

export type AuditEvent = Around &
  (
    | {
        /** All parts of a round have come. `draw` is even in 0 to 1 for each name. */
        readonly type: 'round';
        readonly round: number;
        readonly given: readonly Given[];
        readonly draw: (name: string) => number;
      }
    | {
        /** What the stage of an audit sent, as its neighbours showed it. */
        readonly type: 'shown';
        readonly audit: number;
        readonly parts: Made['parts'];
      }
    /** What it was given to compute with, or what it sent, nobody shows. */
    | { readonly type: 'unshown'; readonly audit: number }
    | {
        /** The host itself saw what it denies. */
        readonly type: 'caught';
        readonly device: string;
        readonly round: number;
        readonly mismatch: Mismatch;
        readonly by: readonly string[];
      }
    | { readonly type: 'answer'; readonly audit: number; readonly device: string; readonly made: Made }
    | { readonly type: 'failed'; readonly audit: number; readonly device: string }
    | { readonly type: 'gone'; readonly device: string }
    | { readonly type: 'time' }
  );

export const stepAudits: Step<AuditState, AuditEvent, AuditEffect> = (state, event) => {
  switch (event.type) {
    case 'round':
      return roundEnds(state, event);
    case 'shown': {
      const audit = state.open.find(({ number }) => number === event.audit);
      if (audit === undefined) return { state, effects: [] };
      const { given } = audit;
      const made = { ...given.made, parts: new Map([...given.made.parts, ...event.parts]) };
      return { state: replaced(state, { ...audit, given: { ...given, made } }), effects: [] };
    }
    case 'unshown': {
      const audit = state.open.find(({ number }) => number === event.audit);
      return audit === undefined ? { state, effects: [] } : unaudited(state, audit);
    }
    case 'caught': {
      const { device, round, mismatch, by } = event;
      return caught(state, event, { device, round, mismatch, by, asAuditor: false });
    }
    case 'answer': {
      const audit = state.open.find(({ number }) => number === event.audit);
      if (!audit?.asked.some(({ device }) => device === event.device)) return { state, effects: [] };
      const asked = audit.asked.filter(({ device }) => device !== event.device);
      return judge(withSeen(state, audit, event), { ...audit, asked, answers: [...audit.answers, event] }, event);
    }
    case 'failed':
      return withoutAsked(state, event, (audit, device) => audit.number === event.audit && device === event.device);
    case 'gone':
      return withoutAsked(state, event, (_, device) => device === event.device);
    case 'time':
      return withoutAsked(state, event, (audit, device) =>
        audit.asked.some((one) => one.device === device && one.untilMs <= event.atMs),
      );
    default:
      return event satisfies never;
  }
};

/** The state after rounds were undone: those after `round` never were. */
export const undoneTo = (state: AuditState, round: number): AuditState => ({
  ...state,
  standings: undone(state.standings, round),
});

function roundEnds(before: AuditState, event: Extract<AuditEvent, { type: 'round' }>): Stepped {
  if (before.share === 0) return { state: before, effects: [] };
  const { round, given, host, draw } = event;
  const run = before.runs + 1;
  let state: AuditState = { ...before, runs: run };
  const effects: AuditEffect[] = [];
  const devices = [...new Set(given.map(({ device }) => device))].filter((device) => device !== host);
  for (const device of devices) {
    const own = given.filter((one) => one.device === device);
    const due = isDue(standingOf(state.standings, device), state.share, draw(`due ${device}`));
    const audited = due && !own.some(({ isOpaque }) => isOpaque) && hasRoom(state, own);
    state = { ...state, standings: afterRound(state.standings, device, { round, run }, audited) };
    if (!audited) continue;
    for (const one of own) {
      const number = state.audits + 1;
      const audit: Audit = { number, round, run, given: one, asked: [], answers: [], silent: [] };
      state = { ...state, audits: number };
      const next = asked(state, audit, event, draw(`who ${device} ${one.order}`));
      state = next.state;
      effects.push(...next.effects);
    }
  }
  return { state, effects };
}

function hasRoom(state: AuditState, more: readonly Given[]): boolean {
  const bytes = [...state.open.map(({ given }) => given), ...more].reduce((sum, { made }) => sum + bytesOf(made), 0);
  return state.open.length + more.length <= MAX_OPEN && bytes <= MAX_OPEN_BYTES;
}

const bytesOf = ({ parts }: Made): number => [...parts.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
