import { ask } from './asking.ts';
import {
  type Around,
  type Audit,
  type AuditEffect,
  type AuditState,
  type Given,
  type Stepped,
  without,
} from './audit-state.ts';
import { distanceOf, type Made, type Mismatch, mismatchOf } from './compare.ts';
import { afterAudit, standingOf, withoutLiar } from './standing.ts';
import { toleranceFor } from './tolerance.ts';

/** Of a device, and devices, of which it is remembered how far they were from others. */
const SEEN_OF_DEVICE = 4;
const MAX_SEEN = 64;

/** Has somebody else compute it, or comes to an end where nobody is left. */
export const asked = (state: AuditState, audit: Audit, around: Around, draw: number | null): Stepped =>
  ask(state, audit, around, draw) ?? give(state, audit, around);

/** Nobody is left who could compute it: the host's own device is believed, or what the device gave to the round stays unaudited. */
function give(state: AuditState, audit: Audit, around: Around): Stepped {
  const { answers } = audit;
  const hosts = answers.find(({ device }) => device === around.host);
  return hosts === undefined ? unaudited(state, audit) : convict(state, audit, around, [hosts]);
}

/** What a device gave to a round stays unaudited. */
export function unaudited(state: AuditState, audit: Audit): Stepped {
  const { given, run } = audit;
  const same = state.open.filter((one) => one.run === run && one.given.device === given.device);
  const closed = [...same.filter(({ number }) => number !== audit.number), audit];
  return {
    state: {
      ...state,
      open: state.open.filter((one) => !same.includes(one)),
      standings: afterAudit(state.standings, given.device, run, []),
    },
    effects: closed.map((one) => ({ type: 'closed', audit: one, outcome: 'unaudited' })),
  };
}

/** Two that say the same are right, and who says otherwise has lied; where no two do, somebody else is asked. */
export function judge(state: AuditState, audit: Audit, around: Around): Stepped {
  const { given, answers } = audit;
  const agrees = (a: Made, b: Made): boolean => differ(state, given, a, b, around) === null;
  const same = answers.filter(({ made }) => agrees(given.made, made));
  if (same.length > 0) return confirm(state, audit, around, same);
  const latest = answers.at(-1);
  const others = answers.filter(({ made }) => latest !== undefined && agrees(latest.made, made));
  if (others.length > 1) return convict(state, audit, around, others);
  return asked(state, audit, around, null);
}

function differ(state: AuditState, given: Given, a: Made, b: Made, around: Around): Mismatch | null {
  const { count } = given.samples;
  const seen = [...state.seen.values()].map((distances) => Math.max(...distances));
  return mismatchOf(a, b, count, toleranceFor(state.weights, seen), (part) => around.least(part, count));
}

/** The first answer of an audit tells how far devices are apart. */
export function withSeen(
  state: AuditState,
  { given, answers }: Audit,
  event: Around & { readonly made: Made },
): AuditState {
  if (answers.length > 0) return state;
  const { device, samples, made } = given;
  const distance = distanceOf(made, event.made, (part) => event.least(part, samples.count));
  const seen = new Map(state.seen);
  const before = seen.get(device) ?? [];
  seen.delete(device);
  seen.set(device, [...before, distance].slice(-SEEN_OF_DEVICE));
  for (const oldest of seen.keys()) if (seen.size > MAX_SEEN) seen.delete(oldest);
  return { ...state, seen };
}

type Answer = Audit['answers'][number];

/** It is right; whoever said otherwise is a liar. */
function confirm(before: AuditState, audit: Audit, around: Around, same: readonly Answer[]): Stepped {
  const { given, answers, run } = audit;
  let state = without(before, audit);
  const whole = !state.open.some((one) => one.run === run && one.given.device === given.device);
  // All that it gave to the round has to be right.
  if (whole)
    state = {
      ...state,
      standings: afterAudit(
        state.standings,
        given.device,
        run,
        same.map(({ device }) => device),
      ),
    };
  const effects: AuditEffect[] = [{ type: 'closed', audit, outcome: 'right' }];
  return exposed(
    { state, effects },
    audit,
    around,
    given.made,
    answers.filter((one) => !same.includes(one)),
    [given.device, ...same.map(({ device }) => device)],
  );
}

/** It is wrong, and so is whoever does not say what these do. */
function convict(before: AuditState, audit: Audit, around: Around, right: readonly Answer[]): Stepped {
  const { given, answers } = audit;
  const truth = right[0].made;
  const by = right.map(({ device }) => device);
  const effects: AuditEffect[] = [{ type: 'closed', audit, outcome: 'liar' }];
  const liar = { device: given.device, made: given.made };
  // An answer that nobody shares is no lie for certain where the host's alone is believed.
  const others = right.length > 1 ? answers.filter((one) => !right.includes(one)) : [];
  return exposed({ state: without(before, audit), effects }, audit, around, truth, [liar, ...others], by);
}

function exposed(
  { state: before, effects: first }: Stepped,
  { given, round }: Audit,
  around: Around,
  truth: Made,
  liars: readonly Answer[],
  by: readonly string[],
): Stepped {
  let state = before;
  const effects = [...first];
  for (const { device, made } of liars) {
    // The host is not one, whatever is wrong with its device.
    const mismatch = device === around.host ? null : differ(state, given, made, truth, around);
    if (mismatch === null) continue;
    const removed = caught(state, around, { device, round, mismatch, by, asAuditor: device !== given.device });
    state = removed.state;
    effects.push(...removed.effects);
  }
  return { state, effects };
}

/** It lied for certain. */
export function caught(
  before: AuditState,
  around: Around,
  lie: Omit<Extract<AuditEffect, { type: 'liar' }>, 'type' | 'undoTo'>,
): Stepped {
  const { device } = lie;
  const rounds = standingOf(before.standings, device).unaudited.map((one) => one.round);
  const undoTo = rounds.length === 0 ? null : Math.min(...rounds) - 1;
  const open = before.open.filter((one) => one.given.device !== device);
  const closed = before.open.filter((one) => one.given.device === device);
  const state = { ...before, open, standings: withoutLiar(before.standings, device) };
  const left = withoutAnswers(state, around, device);
  return {
    state: left.state,
    effects: [
      { type: 'liar', ...lie, undoTo },
      ...closed.map((audit): AuditEffect => ({ type: 'closed', audit, outcome: 'liar' })),
      ...left.effects,
    ],
  };
}

/** What a liar said, or was to say, of others counts for nothing. */
function withoutAnswers(before: AuditState, around: Around, liar: string): Stepped {
  const state = {
    ...before,
    open: before.open.map((audit) => ({ ...audit, answers: audit.answers.filter(({ device }) => device !== liar) })),
  };
  return withoutAsked(state, around, (_, device) => device === liar);
}

/** Asks others in place of those for whom `isOver`. */
export function withoutAsked(
  before: AuditState,
  around: Around,
  isOver: (audit: Audit, device: string) => boolean,
): Stepped {
  let state = before;
  const effects: AuditEffect[] = [];
  for (const audit of before.open) {
    const over = audit.asked.filter(({ device }) => isOver(audit, device)).map(({ device }) => device);
    if (over.length === 0) continue;
    const left = audit.asked.filter(({ device }) => !over.includes(device));
    const next = asked(state, { ...audit, asked: left, silent: [...audit.silent, ...over] }, around, null);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}
