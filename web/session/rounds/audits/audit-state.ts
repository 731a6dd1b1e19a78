import type { SampleRange } from '../../../../signaling/protocol/round.ts';
import type { WeightStorage } from '../../../../signaling/protocol/settings.ts';
import type { Stage } from '../../../../signaling/protocol/split.ts';
import type { Made, MadePart, Mismatch } from './compare.ts';
import type { Standings } from './standing.ts';

/** What a device gave to a round under one order. */
export interface Given {
  readonly device: string;
  /** Tells its orders apart. */
  readonly order: number;
  readonly samples: SampleRange;
  /** Of a stage first without what it sent up and down, which is not here yet. */
  readonly made: Made;
  /** In a split room. */
  readonly stage?: Stage;
  /** Nobody can know what it was given to compute with: its neighbours changed meanwhile. */
  readonly isOpaque?: true;
}

/** A device that could compute something again. */
export interface Auditor {
  readonly device: string;
  /** What its own part of a round takes. */
  readonly busySeconds: number;
  /** What this would take; null where it cannot hold it. */
  readonly seconds: (given: Given) => number | null;
}

export interface Audit {
  readonly number: number;
  readonly round: number;
  readonly run: number;
  readonly given: Given;
  /** Devices that were asked and have not answered. */
  readonly asked: readonly { readonly device: string; readonly untilMs: number }[];
  readonly answers: readonly { readonly device: string; readonly made: Made }[];
  /** Asked in vain. */
  readonly silent: readonly string[];
}

export interface AuditState {
  /** Part of the compute; 0 audits nothing. */
  readonly share: number;
  readonly weights: WeightStorage;
  /** By audited device: how far its latest parts were from what the first auditor computed. */
  readonly seen: ReadonlyMap<string, readonly number[]>;
  readonly standings: Standings;
  readonly open: readonly Audit[];
  /** Audits and rounds so far. */
  readonly audits: number;
  readonly runs: number;
}

/** `standings`: what is known of the devices already. */
export const beginAudits = (share: number, weights: WeightStorage, standings: Standings = new Map()): AuditState => ({
  share,
  weights,
  seen: new Map(),
  standings,
  open: [],
  audits: 0,
  runs: 0,
});

export interface Around {
  readonly host: string | null;
  /** Devices that could compute something now. */
  readonly able: readonly Auditor[];
  readonly atMs: number;
  /** How long an answer is waited for. */
  readonly patienceMs: number;
  /** The norm below which this part, of so many samples, does not matter. */
  readonly least: (part: MadePart, samples: number) => number;
}

export type AuditEffect =
  | { readonly type: 'ask'; readonly audit: Audit; readonly device: string }
  /** Nobody needs to know any more. */
  | { readonly type: 'closed'; readonly audit: Audit; readonly outcome: 'right' | 'liar' | 'unaudited' }
  | {
      readonly type: 'liar';
      readonly device: string;
      readonly round: number;
      readonly mismatch: Mismatch;
      /** Who found out. */
      readonly by: readonly string[];
      /** Whether it lied about another's part. */
      readonly asAuditor: boolean;
      /** The last round before the first one with parts of it that nobody found right; null where there is none. */
      readonly undoTo: number | null;
    };

export interface Stepped {
  readonly state: AuditState;
  readonly effects: readonly AuditEffect[];
}

export function replaced(state: AuditState, audit: Audit): AuditState {
  const known = state.open.some(({ number }) => number === audit.number);
  const open = known ? state.open.map((one) => (one.number === audit.number ? audit : one)) : [...state.open, audit];
  return { ...state, open };
}

export const without = (state: AuditState, audit: Audit): AuditState => ({
  ...state,
  open: state.open.filter(({ number }) => number !== audit.number),
});
