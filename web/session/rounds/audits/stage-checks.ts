import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import * as say from '../../../words/session/rounds.ts';
import type { DeviceLinks } from '../device-links.ts';
import type { OrderInput } from '../run-round.ts';
import { disagreements, type SettledStage } from '../split/cross-check.ts';
import type { SplitRoundDone } from '../split/run-split-round.ts';
import { Witness } from '../split/witness.ts';
import type { Audit } from './audit-state.ts';
import type { AuditEvent } from './audit-step.ts';
import type { Made } from './compare.ts';
import { StageCases } from './stage-cases.ts';

/** What differs between events. */
export type OwnOf<T> = T extends unknown ? Omit<T, 'host' | 'able' | 'atMs' | 'patienceMs' | 'least'> : never;

export interface StageChecksContext {
  readonly term: number;
  readonly settings: SessionSettings;
  readonly deviceLinks: DeviceLinks;
  readonly host: () => string | null;
  readonly nameOf: (device: string) => string;
  readonly onNews: (kind: 'news' | 'problem', sentence: string) => void;
  readonly take: (event: OwnOf<AuditEvent>) => void;
}

/** What audits of a split room need that those of whole models do not: what went over stages' cuts, and whose word on it is true. */
export class StageChecks {
  readonly #context: StageChecksContext;
  readonly #witness: Witness;
  readonly #cases: StageCases;
  /** Of the latest round, where it was one of a split room. */
  #latest: { readonly input: OrderInput; readonly stages: readonly SettledStage[] } | null = null;
  /** Devices that did not show what they had said, since it was last asked. */
  readonly #withheld = new Set<string>();

  constructor(context: StageChecksContext) {
    const { term, settings, deviceLinks, host, take } = context;
    this.#context = context;
    this.#witness = new Witness({ deviceLinks, term, host });
    this.#cases = new StageCases({
      ...{ term, settings, deviceLinks },
      onShown: (audit, parts) => take({ type: 'shown', audit, parts }),
      onUnshown: (audit) => take({ type: 'unshown', audit }),
      onWithheld: (device, round) => this.#withholds(device, round),
      onAnswer: (audit, device, made) => take({ type: 'answer', audit, device, made }),
    });
  }

  /** Whether the room is split now. */
  get isSplit(): boolean {
    return this.#latest !== null;
  }

  isWatched(a: string, b: string): boolean {
    return this.#witness.isWatched(a, b);
  }

  wholeRound(): void {
    this.#latest = null;
  }

  /** Whether neighbours say the same of what went between them; where they do not, what follows is under way. */
  agree(input: OrderInput, { stages }: Pick<SplitRoundDone, 'stages'>): boolean {
    const { round } = input;
    const { nameOf, onNews, host, take } = this.#context;
    this.#latest = { input, stages };
    const found = disagreements(stages, (from, to, way) => this.#witness.seen(round, from, to, way));
    this.#witness.forget();
    for (const device of new Set(found.flatMap(({ liars }) => liars ?? [])))
      if (device !== host()) take({ type: 'caught', device, round, mismatch: { of: 'cut' }, by: [host() ?? ''] });
    for (const { lower, upper, liars } of found)
      if (liars === null && this.#witness.watch(lower.device, upper.device))
        onNews('problem', say.andDoNotSay(nameOf(lower.device), nameOf(upper.device), round));
    return found.length === 0;
  }

  /** Has a device compute a stage again. The first time this is while the round's stages still keep what went over their cuts. */
  ask(audit: Audit, device: string, untilMs: number): void {
    const { input, stages } = this.#latest ?? { input: null, stages: [] };
    const settled = stages.find(({ order }) => order.number === audit.given.order);
    if (!this.#cases.has(audit.number) && settled !== undefined && input !== null)
      this.#cases.open(audit, settled, stages, input, untilMs);
    this.#cases.ask(audit.number, device);
  }

  /** Takes what is shown. */
  heard(device: string, message: DataMessage<'shown'>): void {
    this.#cases.heard(device, message);
  }

  /** False where the audit is of no stage. */
  answered(tag: DataMessage<'audited'>['header']['tag'], device: string, made: Made): boolean {
    if (!this.#cases.has(tag.audit)) return false;
    this.#cases.answered(tag, device, made);
    return true;
  }

  closed(audit: number): void {
    this.#cases.close(audit);
  }

  gone(device: string): void {
    this.#cases.gone(device);
  }

  tick(atMs: number): void {
    this.#cases.tick(atMs);
  }

  takeWithheld(): readonly string[] {
    const devices = [...this.#withheld];
    this.#withheld.clear();
    return devices;
  }

  close(): void {
    this.#witness.close();
  }

  #withholds(device: string, round: number): void {
    const { host, nameOf, onNews } = this.#context;
    if (device === host() || this.#withheld.has(device)) return;
    this.#withheld.add(device);
    onNews('problem', say.didNotShowWhatHad(nameOf(device), round));
  }
}
