import { computeSeconds, largestMicroBatch, recomputes } from '../../../../signaling/protocol/cost-model.ts';
import type { ToldStandings } from '../../../../signaling/protocol/exchange/audit-messages.ts';
import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import { decodeUploads } from '../../../../signaling/protocol/exchange/upload-codec.ts';
import type { RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../../../signaling/protocol/room-view.ts';
import type { Block } from '../../../../signaling/protocol/round.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { runText } from '../../../../signaling/protocol/words/units.ts';
import * as say from '../../../words/session/rounds.ts';
import type { DeviceLinks } from '../device-links.ts';
import { depthOf } from '../round.ts';
import { type AbleDevice, patienceOf } from '../round-step.ts';
import { type OrderInput, samplesOf, type WholeRoundResult } from '../run-round.ts';
import type { SplitRoundDone } from '../split/run-split-round.ts';
import { type Audit, type AuditEffect, type Auditor, type AuditState, beginAudits, type Given } from './audit-state.ts';
import { type AuditEvent, stepAudits, undoneTo } from './audit-step.ts';
import { drawn } from './chance.ts';
import { type Made, type MadePart, mismatchWords, type Products } from './compare.ts';
import { givenOf, stagesGiven } from './given.ts';
import { stageAuditors } from './stage-auditors.ts';
import { type OwnOf, StageChecks } from './stage-checks.ts';
import { type Standings, toldOf } from './standing.ts';
import { type Tolerance, toleranceFor } from './tolerance.ts';
import { leastOf, NOTHING_USUAL, type UsualSizes, withRight } from './usual-sizes.ts';

/** Answers wait behind orders: for two rounds' patience, and as long as so many rounds, between which an audit is computed slice by slice. */
const PATIENCE_ROUNDS = 2;
const SLICED_ROUNDS = 40;
/** A stage's run may have to be fetched first. */
const STAGE_PATIENCE_MS = 60_000;
const TICK_MS = 1000;
/** After the last round audits are waited for no longer than this. */
const SETTLE_MS = 120_000;

export interface AuditsContext {
  /** Part of the room's compute that audits take; 0 audits nothing. */
  readonly share: number;
  readonly term: number;
  readonly settings: SessionSettings;
  readonly deviceLinks: DeviceLinks;
  /** Values of a block's gradient. */
  readonly blockLength: (block: Block) => number | undefined;
  readonly host: () => string | null;
  /** Devices that can take work now, as they are believed to be. */
  readonly able: () => readonly AbleDevice[];
  /** All of the room, and its plan. */
  readonly devices: () => readonly DeviceView[];
  readonly plan: () => RoomPlan | null;
  readonly nameOf: (device: string) => string;
  readonly onNews: (kind: 'news' | 'problem', sentence: string) => void;
  /** What is known of them already, where another one led before. */
  readonly standings?: Standings | undefined;
  /** Of which who is audited, and by whom, is drawn; nobody else may know it. */
  readonly key: Uint8Array;
  /** A device lied: it has to go. */
  readonly onLiar: (device: string) => void;
}

/** The audits of a session: the rim of `audit-step.ts`. They outlast the rounds that they are of. */
export class Audits {
  readonly #context: AuditsContext;
  readonly #off: () => void;
  readonly #ticker: ReturnType<typeof setInterval> | undefined;
  #state: AuditState;
  #usual: UsualSizes = NOTHING_USUAL;
  /** Of the rounds with audits under way, by the audit's number. */
  readonly #inputs = new Map<number, OrderInput>();
  #busySeconds: ReadonlyMap<string, number> = new Map();
  #patienceMs = 0;
  #input: OrderInput | null = null;
  readonly #checks: StageChecks;
  /** The round to which training has to go back; null where it need not. */
  #undoTo: number | null = null;
  readonly #liars = new Set<string>();
  /** Devices of which it was said that nobody can check them. */
  readonly #unaudited = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor(context: AuditsContext) {
    this.#context = context;
    this.#state = beginAudits(context.share, context.settings.weights, context.standings);
    const { deviceLinks, term, settings, host, nameOf, onNews } = context;
    this.#checks = new StageChecks({
      ...{ term, settings, deviceLinks, host, nameOf, onNews },
      take: (event) => this.#take(event),
    });
    this.#off = context.deviceLinks.onEvent((event) => {
      if (event.type === 'message') this.#heard(event.device, event.message);
      else if (event.type === 'detached') {
        this.#checks.gone(event.device);
        this.#take({ type: 'gone', device: event.device });
      }
    });
    if (this.isOn)
      this.#ticker = setInterval(() => {
        this.#checks.tick(performance.now());
        this.#take({ type: 'time' });
      }, TICK_MS);
  }

  close(): void {
    this.#off();
    this.#checks.close();
    clearInterval(this.#ticker);
    for (const go of this.#waiting) go();
  }

  /** Whether anybody is checked. */
  get isOn(): boolean {
    return this.#context.share > 0;
  }

  /** Whether all that goes between two stages goes by way of the host. */
  isWatched = (a: string, b: string): boolean => this.#checks.isWatched(a, b);

  /**
   * All of a split room's round is here. False where it does not count, because neighbours do not say the same of what went between them: it is
   * done again, and what these two say to each other then goes by way of the host.
   */
  splitRoundEnds(input: OrderInput, plan: RoomPlan, done: SplitRoundDone): boolean {
    if (!this.isOn) return true;
    const { round, course, term } = input;
    this.#busySeconds = new Map(plan.assignments.map((one) => [one.device, one.computeSeconds]));
    this.#patienceMs = Math.max(STAGE_PATIENCE_MS, PATIENCE_ROUNDS * patienceOf(plan));
    if (!this.#checks.agree(input, done)) return false;
    const given = stagesGiven(done);
    if (given.some(({ device }) => this.#liars.has(device))) return false;
    const draw = (name: string): number => drawn(this.#context.key, term, course, round, name);
    this.#take({ type: 'round', round, given, draw });
    return true;
  }

  /** All parts of a round have come. */
  roundEnds(input: OrderInput, plan: RoomPlan, result: WholeRoundResult): void {
    if (this.#context.share === 0) return;
    this.#busySeconds = new Map(plan.assignments.map((one) => [one.device, one.computeSeconds]));
    this.#patienceMs = Math.max(PATIENCE_ROUNDS * patienceOf(plan), SLICED_ROUNDS * 1000 * plan.latencySeconds);
    this.#input = input;
    this.#checks.wholeRound();
    const { round, course, term } = input;
    const draw = (name: string): number => drawn(this.#context.key, term, course, round, name);
    const given = givenOf(result);
    // Who was found out during the round has given to it all the same.
    if (given.some(({ device }) => this.#liars.has(device))) this.#goBackTo(round - 1);
    this.#take({ type: 'round', round, given: given.filter(({ device }) => !this.#liars.has(device)), draw });
  }

  /** Devices in whose way it is that others are checked: it counts as if they had been late. */
  takeWithheld(): readonly string[] {
    return this.#checks.takeWithheld();
  }

  /** How far honest devices of this room may be apart. */
  get tolerance(): Tolerance {
    return toleranceFor(
      this.#context.settings.weights,
      [...this.#state.seen.values()].map((far) => Math.max(...far)),
    );
  }

  /** Even in 0 to 1, and known to nobody else. */
  draw(...words: readonly (string | number)[]): number {
    return drawn(this.#context.key, this.#context.term, ...words);
  }

  /** A device said something false of examples of a score; what nobody checked of its rounds is undone, too. */
  answeredFalsely(round: number, device: string, by: readonly string[], products: Products): void {
    this.#take({ type: 'caught', device, round, mismatch: { of: 'logits', products }, by });
  }

  /** What whoever leads after this host should know. */
  told(devices: readonly string[]): ToldStandings['devices'] {
    return toldOf(this.#state.standings, devices);
  }

  get hasUndo(): boolean {
    return this.#undoTo !== null;
  }

  /** The round to go back to before the next one begins; null for none. What it says is said once. */
  takeUndo(): number | null {
    const to = this.#undoTo;
    this.#undoTo = null;
    return to;
  }

  /** Rounds after this one are repeated. */
  undone(round: number): void {
    this.#state = undoneTo(this.#state, round);
  }

  /** Resolves when no audit is under way, or training has to go back. */
  settled(): Promise<void> {
    if (this.#isSettled()) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, SETTLE_MS);
      this.#waiting.add(go);
    });
  }

  #goBackTo(round: number): void {
    this.#undoTo = Math.min(this.#undoTo ?? round, round);
  }

  #isSettled(): boolean {
    return this.#undoTo !== null || this.#state.open.length === 0;
  }

  #heard(device: string, { header, tensors }: DataMessage): void {
    if (header.type === 'failed' && 'audit' in header.tag && header.tag.term === this.#context.term)
      this.#take({ type: 'failed', audit: header.tag.audit, device });
    if (header.type === 'shown') this.#checks.heard(device, { header, tensors });
    if (header.type !== 'audited' || header.tag.term !== this.#context.term) return;
    const made = this.#madeOf(header, tensors);
    if (this.#checks.answered(header.tag, device, made)) return;
    this.#take({ type: 'answer', audit: header.tag.audit, device, made });
  }

  /** Sizes were checked against the session's when the message was read. */
  #madeOf({ blocks, lossSum }: DataMessage<'audited'>['header'], tensors: DataMessage['tensors']): Made {
    const lengths = blocks.map((block) => this.#context.blockLength(block) ?? 0);
    const gradients = decodeUploads(tensors, lengths);
    return { parts: new Map<MadePart, Float32Array>(blocks.map((block, i) => [block, gradients[i]!])), lossSum };
  }

  #take(event: OwnOf<AuditEvent>): void {
    const { state, effects } = stepAudits(this.#state, {
      ...event,
      host: this.#context.host(),
      able: this.#auditors(),
      atMs: performance.now(),
      patienceMs: this.#patienceMs,
      least: (part, samples) => leastOf(this.#usual, part, samples),
    });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (this.#isSettled()) for (const go of this.#waiting) go();
  }

  #auditors(): readonly Auditor[] {
    const { able, devices, plan, settings, deviceLinks } = this.#context;
    if (this.#checks.isSplit) return stageAuditors(devices(), plan(), settings, (device) => deviceLinks.has(device));
    const { layers } = settings.shape;
    return able().map(({ device, profile }) => ({
      device,
      busySeconds: this.#busySeconds.get(device) ?? 0,
      seconds: (given) => {
        const { count } = given.samples;
        const depth = depthOf({ layers: layersOf(given) }, layers);
        return largestMicroBatch(profile, count, depth) === 0 ? null : computeSeconds(profile, layers, count, depth);
      },
    }));
  }

  #perform(effect: AuditEffect): void {
    const { nameOf, onNews, onLiar } = this.#context;
    switch (effect.type) {
      case 'ask':
        this.#ask(effect.audit, effect.device);
        break;
      case 'closed': {
        const { given, number } = effect.audit;
        this.#inputs.delete(number);
        this.#checks.closed(number);
        if (effect.outcome === 'right') this.#usual = withRight(this.#usual, given.made, given.samples.count);
        if (effect.outcome === 'unaudited') this.#sayUnaudited(given, effect.audit.round);
        break;
      }
      case 'liar': {
        const { device, round, mismatch, by, asAuditor, undoTo } = effect;
        const who = by.map(nameOf).join(' and ');
        const what = asAuditor ? say.whenItCheckedAPart(round) : say.inRound(round);
        onNews('problem', say.wasRemovedChecked(nameOf(device), what, mismatchWords(mismatch), who));
        if (undoTo !== null) this.#goBackTo(undoTo);
        this.#liars.add(device);
        onLiar(device);
        break;
      }
      default:
        effect satisfies never;
    }
  }

  #sayUnaudited({ device, stage }: Given, round: number): void {
    if (this.#unaudited.has(device)) return;
    this.#unaudited.add(device);
    const { nameOf, onNews, settings } = this.#context;
    const what = stage === undefined ? '' : say.forNobodyElseHas(runText(stage, settings.shape.layers));
    onNews('news', say.unauditedNoOtherDeviceCould(nameOf(device), round, what));
  }

  #ask(audit: Audit, device: string): void {
    const input = this.#inputs.get(audit.number) ?? this.#input;
    if (audit.given.stage !== undefined) {
      this.#checks.ask(audit, device, performance.now() + this.#patienceMs);
      return;
    }
    const able = this.#context.able().find((one) => one.device === device);
    if (input === null || able === undefined) return;
    this.#inputs.set(audit.number, input);
    const { given, number, round } = audit;
    const { settings, deviceLinks, term } = this.#context;
    const { dropout, seed } = settings.training;
    const layers = layersOf(given);
    const depth = depthOf({ layers }, settings.shape.layers);
    const rows = samplesOf(input.batch, given.samples.start, given.samples.count);
    deviceLinks.sendAudit(
      device,
      {
        type: 'audit',
        tag: { term, audit: number },
        round,
        layers: [...layers],
        head: given.made.parts.has('head') || given.made.lossSum !== null,
        samples: given.samples,
        microBatch: Math.max(1, largestMicroBatch(able.profile, given.samples.count, depth)),
        recompute: recomputes(able.profile, depth),
        tokens: rows.tokens,
        dropout: { probability: dropout, seed },
      },
      [rows.ids, rows.lengths, rows.labels, rows.positions, input.parameters.values],
    );
  }
}

/** Ascending. */
const layersOf = ({ made }: Given): readonly number[] =>
  [...made.parts.keys()].filter((part) => typeof part === 'number').sort((a, b) => a - b);
