import type { WeightStorage } from '../../signaling/protocol/settings.ts';
import {
  type AuditEffect,
  type AuditState,
  beginAudits,
  type Given,
} from '../../web/session/rounds/audits/audit-state.ts';
import { type AuditEvent, stepAudits } from '../../web/session/rounds/audits/audit-step.ts';
import type { Made, MadePart } from '../../web/session/rounds/audits/compare.ts';
import type { Fleet } from './fleets.ts';
import { atRank, pairsOf, type RecordedPair } from './recorded.ts';

/** Even in 0 to 1 (Mulberry32). */
export function drawsFrom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Turns what is true into what a liar says of it. */
export type Lie = (truth: Float32Array) => Float32Array;

/** In place of a gradient: its length along the true one, and what is at right angles to it. */
const TRUTH = Float32Array.of(1, 0);

export const LIES: Readonly<Record<string, Lie>> = {
  'scaled by 1.05': (values) => values.map((x) => 1.05 * x),
  'of the other sign': (values) => values.map((x) => -x),
  zeroed: (values) => values.map(() => 0),
  'noise of a tenth of the norm': ([x, y]) => Float32Array.of(x, y + 0.1),
  'of other samples': ([x]) => Float32Array.of(0.1 * x, 1),
};

export interface Liar {
  readonly device: string;
  readonly lie: Lie;
  /** The first round in which it lies. */
  readonly from: number;
  /** Of which parts; of all unless it is said. */
  readonly parts?: (part: MadePart) => boolean;
  /** Whether it lies about others' parts, too, when it audits them. */
  readonly asAuditor?: boolean;
}

/**
 * A room's audits, round after round: a question that goes out at the end of a round is answered at the end of the next. What honest
 * devices say of the same thing differs by what two engines were recorded to differ by.
 */
export class Played {
  state: AuditState;
  round = 0;
  readonly effects: AuditEffect[] = [];
  readonly removed = new Set<string>();
  /** In rounds' compute of the whole room: what audits took. */
  audited = 0;
  #asked: Extract<AuditEffect, { type: 'ask' }>[] = [];
  readonly #fleet: Fleet;
  readonly #draw: () => number;
  readonly #pairs: readonly RecordedPair[];
  readonly #liars: readonly Liar[];
  readonly #host: string | null;

  constructor(
    fleet: Fleet,
    seed: number,
    {
      share = 0.08,
      weights = 'f32',
      models = 'roberta-mini',
      liars = [],
      host = fleet.devices[0],
    }: {
      share?: number;
      weights?: WeightStorage;
      models?: RecordedPair['models'];
      liars?: readonly Liar[];
      host?: string | null;
    } = {},
  ) {
    this.#fleet = fleet;
    this.#draw = drawsFrom(seed);
    this.#pairs = pairsOf(weights).filter((pair) => pair.models === models);
    this.#liars = liars;
    this.#host = host;
    this.state = beginAudits(share, weights);
  }

  /** One round: its parts come, then the answers to what was asked in the one before. */
  play(): readonly AuditEffect[] {
    this.round++;
    const before = this.effects.length;
    const asked = this.#asked;
    this.#asked = [];
    const given = this.#fleet.work
      .filter(({ device }) => !this.removed.has(device))
      .map(({ device, parts, samples }, i): Given => {
        return { device, order: i + 1, samples, made: this.#made(device, parts, false) };
      });
    for (const { audit, device } of asked) {
      if (this.removed.has(device)) continue;
      // What a stage sent comes later than what it gave to the host, and so does its part of an answer.
      const sent = this.#fleet.work.find((one) => one.device === audit.given.device)?.sent ?? [];
      const own = audit.given.made.parts;
      const parts = [...new Set([...own.keys(), ...sent])];
      if (parts.length > own.size) {
        const shown = this.#made(audit.given.device, sent, false, audit.round);
        this.#take({ type: 'shown', audit: audit.number, parts: shown.parts });
      }
      const made = this.#made(device, parts, true);
      this.#take({ type: 'answer', audit: audit.number, device, made });
    }
    // Of whoever was found out meanwhile nothing counts.
    const counted = given.filter(({ device }) => !this.removed.has(device));
    this.#take({ type: 'round', round: this.round, given: counted, draw: () => this.#draw() });
    return this.effects.slice(before);
  }

  get liarsFound(): readonly string[] {
    return this.effects.flatMap((effect) => (effect.type === 'liar' ? [effect.device] : []));
  }

  #made(device: string, parts: readonly MadePart[], forAudit: boolean, round = this.round): Made {
    const liar = this.#liars.find((one) => one.device === device && round >= one.from);
    const lies = liar !== undefined && (!forAudit || liar.asAuditor === true);
    return {
      parts: new Map(
        parts.map((part) => {
          const isFalse = lies && (liar.parts?.(part) ?? true);
          return [part, isFalse ? liar.lie(this.#rounded()) : this.#rounded()];
        }),
      ),
      lossSum: null,
    };
  }

  /** What an honest device has: half as far from the truth as one engine was from another, so that two are as far apart as these. */
  #rounded(): Float32Array {
    const { distance, stretch } = this.#pairs[Math.floor(this.#draw() * this.#pairs.length)];
    const rank = this.#draw();
    const along = (atRank(stretch, this.#draw()) / 2) * (this.#draw() < 0.5 ? -1 : 1);
    const across = Math.sqrt(Math.max(0, (atRank(distance, rank) / 2) ** 2 - along ** 2));
    return Float32Array.of(TRUTH[0] * (1 + along), across * (this.#draw() < 0.5 ? -1 : 1));
  }

  #take(event: DistributiveOmit<AuditEvent, 'host' | 'able' | 'atMs' | 'patienceMs' | 'least'>): void {
    const able = this.#fleet.devices
      .filter((device) => !this.removed.has(device))
      .map((device) => ({
        device,
        busySeconds: 1,
        seconds: ({ device: checked }: Given) => (this.#fleet.canCheck?.(device, checked) === false ? null : 1),
      }));
    const around = { host: this.#host, able, atMs: this.round, patienceMs: 3, least: () => 0 };
    const { state, effects } = stepAudits(this.state, { ...event, ...around });
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.type === 'ask') {
        this.#asked.push(effect);
        this.audited += this.#fleet.work.find(({ device }) => device === effect.audit.given.device)?.share ?? 0;
      }
      if (effect.type === 'liar') this.removed.add(effect.device);
    }
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
