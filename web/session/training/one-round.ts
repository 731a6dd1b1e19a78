import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { MAX_COURSE, type SampleRange } from '../../../signaling/protocol/round.ts';
import type { Extent, SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import type { HostWorkerApi } from '../../../worker/api/host-api.ts';
import type { Audits } from '../rounds/audits/audits.ts';
import type { Conducts } from '../rounds/conducts.ts';
import type { DeviceLinks, ParameterState } from '../rounds/device-links.ts';
import { progress, type RoundState } from '../rounds/round.ts';
import { type RoundInput, type RoundResult, runRound } from '../rounds/run-round.ts';
import { finishSecondsOf, isSplit, sparesOf } from '../rounds/split/layout.ts';
import { PairBytes } from '../rounds/split/pair-bytes.ts';
import { RelayedPairs } from '../rounds/split/relayed-pairs.ts';
import { runSplitRound } from '../rounds/split/run-split-round.ts';
import type { ViewStore } from '../view/view-store.ts';
import type { Listeners } from '../world/emitter.ts';
import { splitHeirs } from './split-heirs.ts';

const ACTIVITY_EVERY_MS = 300;

export interface OneRoundContext {
  /** Which host of the session this is, from 1. */
  readonly term: number;
  readonly settings: SessionSettings;
  readonly extent: () => Extent;
  readonly worker: Pick<HostWorkerApi, 'roundBatch' | 'step' | 'skip' | 'parameters' | 'state'>;
  readonly deviceLinks: DeviceLinks;
  readonly conducts: Conducts;
  readonly audits: Pick<Audits, 'roundEnds' | 'splitRoundEnds' | 'takeWithheld' | 'isOn' | 'isWatched'>;
  readonly store: ViewStore;
  readonly send: (message: ClientMessage) => void;
  /** Devices that can take work now. */
  readonly ready: () => readonly DeviceView[];
  /** All devices of the room; and which of them is the host. */
  readonly devices: () => readonly DeviceView[];
  readonly host: () => string;
  /** Whether a device may hold what a host needs, and lead when this one is gone. */
  readonly mayLead: (device: string) => boolean;
  /** Called when `ready` or `devices` may answer differently. */
  readonly onTrainers: Listeners<void>;
  readonly nameOf: (device: string) => string;
  /** Runs what worker and view must agree on afterwards. */
  readonly tell: (work: () => Promise<void>) => Promise<void>;
  /** To those who may lead, what a round came to. */
  readonly tellHeirs: (report: RoundReport) => void;
  /** The round's orders go out now. */
  readonly onOrders: (plan: RoomPlan) => void;
  /** The optimiser made its step, or passed over a round that no device had a finite gradient for; before the round is reported. */
  readonly onStepped: (round: number, wasSkipped: boolean) => void;
  readonly signal: AbortSignal;
}

interface Prepared {
  readonly round: number;
  readonly ranges: readonly SampleRange[];
  readonly batch: Promise<TokenBatch | null>;
}

/** A round whose gradients are all there. */
interface Done {
  readonly samples: number;
  readonly result: RoundResult;
  readonly parameters: ParameterState;
  readonly startMs: number;
}

/** One round from its samples to the optimiser's step. Which one is next, and whether there is one, is the loop's (`training.ts`). */
export class OneRound {
  readonly #context: OneRoundContext;
  readonly #pairBytes: PairBytes;
  readonly #relayedPairs = new RelayedPairs();
  #prepared: Prepared | null = null;
  /** How often rounds were undone. */
  #course = 0;
  /** A round that came to nothing, to be begun again in later epochs. */
  #interrupted: { readonly round: number; readonly epoch: number } | null = null;
  #activityMs = 0;

  constructor(context: OneRoundContext) {
    this.#context = context;
    const { deviceLinks, devices, signal } = context;
    this.#pairBytes = new PairBytes({ deviceLinks, members: () => new Set(devices().map(({ id }) => id)) });
    signal.addEventListener('abort', this.#pairBytes.close, { once: true });
  }

  /** Rounds were undone: those that follow are no longer what devices know by their numbers. */
  undone(): void {
    this.#course = Math.min(MAX_COURSE, this.#course + 1);
    this.#prepared = null;
    this.#context.deviceLinks.forgetVersions();
  }

  /** Whether there was such a round: a split room may have to be laid out anew first. */
  async run(round: number, plan: RoomPlan): Promise<boolean> {
    const { term, settings, worker, deviceLinks, conducts, store, ready, onTrainers, nameOf, onOrders, signal } =
      this.#context;
    const startMs = performance.now();
    const ranges = plan.assignments.map(({ samples }) => samples);
    const [batch, parameters] = await Promise.all([this.#batch(round, ranges), worker.parameters()]);
    this.#prepare(round + 1, ranges);
    const input: RoundInput = {
      ...{ round, term, course: this.#course, settings, batch, parameters, deviceLinks, plan },
      trainers: ready,
      believed: (device, profile) => conducts.believed(device, profile, ready()),
      onTrainers,
      onActivity: (state) => this.#activity(state),
      onNews: (kind, sentence) => store.notice(kind, sentence),
      nameOf,
      startMs,
      signal,
    };
    const result = isSplit(plan) ? await this.#split(input) : await this.#whole(input, onOrders);
    if (result === null) return false;
    await this.#step(round, plan, { samples: batch.lengths.length, result, parameters, startMs });
    return true;
  }

  async #whole(input: RoundInput, onOrders: (plan: RoomPlan) => void): Promise<RoundResult> {
    const { conducts, audits, ready, worker } = this.#context;
    const { deviceLinks, parameters, term } = input;
    const devices = ready().map(({ id }) => id);
    if (deviceLinks.lacks(devices, parameters)) deviceLinks.sendWhole(term, devices, await worker.state());
    conducts.roundBegins(input, input.plan, ready());
    onOrders(input.plan);
    const result = await runRound(input);
    conducts.roundEnds(input.round, result, ready());
    audits.roundEnds(input, input.plan, result);
    return result;
  }

  async #split(input: RoundInput): Promise<RoundResult | null> {
    const { settings, deviceLinks, devices, host, store, send, audits, conducts } = this.#context;
    const room = () => ({ settings, devices: devices(), host: host() });
    conducts.splitRoundBegins(input.round);
    await this.#keepHeirs(input);
    const after = this.#interrupted?.round === input.round ? this.#interrupted.epoch : undefined;
    let counts = true;
    const result = await runSplitRound({
      ...input,
      after,
      checked: audits,
      onAll: (done) => {
        counts = audits.splitRoundEnds(input, input.plan, done);
      },
      finishSeconds: finishSecondsOf(input.plan, room()),
      spares: () =>
        sparesOf(input.plan, room(), (device) => deviceLinks.has(device) && !conducts.isOnProbation(device)),
    });
    if (result.kind === 'done' && counts) {
      const { passes: stages } = result;
      conducts.splitRoundEnds(input.round, { ...result, late: [...result.late, ...audits.takeWithheld()] });
      const relayed = this.#relayedPairs.roundEnds(this.#pairBytes.pairs, audits.isWatched);
      if (relayed !== null) send({ type: 'relayed', pairs: relayed.map(([a, b]) => [a, b]) });
      store.dispatch({ type: 'traffic', traffic: { round: input.round, pairs: this.#pairBytes.pairs } });
      store.dispatch({ type: 'passes', passes: { round: input.round, planVersion: input.plan.version, stages } });
      return result;
    }
    this.#interrupted = { round: input.round, epoch: result.epoch };
    if (result.kind === 'interrupted') store.notice('problem', result.sentence);
    return null;
  }

  /** Stages need their own blocks alone; a few devices hold the whole, to go on when this host is gone. */
  async #keepHeirs({ plan, parameters, term }: RoundInput): Promise<void> {
    const { deviceLinks, devices, host, mayLead, worker } = this.#context;
    const isUpToDate = (device: string): boolean => deviceLinks.holds(device, parameters);
    const heirs = splitHeirs({
      plan,
      devices: devices(),
      mayLead: (device) =>
        device !== host() && mayLead(device) && (isUpToDate(device) || deviceLinks.lacks([device], parameters)),
      isUpToDate,
      parameterCount: parameters.values.length,
    });
    if (deviceLinks.lacks(heirs, parameters)) deviceLinks.sendWhole(term, heirs, await worker.state());
  }

  async #step(round: number, plan: RoomPlan, { samples, result, parameters, startMs }: Done): Promise<void> {
    const { term, worker, deviceLinks, settings, store, send, tell, onStepped } = this.#context;
    const { version, digest = 0 } = parameters;
    const devices = result.devices.map(({ device }) => device);
    await tell(async () => {
      const { parts, lossSum } = result;
      const stepMs = performance.now();
      const stepped = await worker.step({ round, samples, parts, lossSum, devices });
      if (stepped.kind === 'not-finite') {
        await worker.skip(round);
        deviceLinks.sendStep(term, { version, digest }, null);
        onStepped(round, true);
        return;
      }
      const { learningRate, gradientNorm, loss } = stepped;
      const report: RoundReport = {
        round,
        planVersion: plan.version,
        loss,
        learningRate,
        gradientNorm,
        elapsedSeconds: (performance.now() - startMs) / 1000,
        devices: result.devices,
        reassigned: result.reassigned,
        stepSeconds: (performance.now() - stepMs) / 1000,
      };
      this.#context.tellHeirs(report);
      // Before anybody else hears that the round is over: who holds it can go on from it.
      deviceLinks.sendStep(term, { version, digest }, stepped.update, settings.training.uploads);
      onStepped(round, false);
      store.dispatch({ type: 'round', report });
      send({ type: 'round', report });
    });
  }

  /** A round's samples: as they were prepared, where the plan still cuts the round so. */
  async #batch(round: number, ranges: readonly SampleRange[]): Promise<TokenBatch> {
    const prepared = this.#prepared;
    this.#prepared = null;
    const fits = prepared?.round === round && sameRanges(prepared.ranges, ranges);
    return (fits ? await prepared.batch : null) ?? this.#context.worker.roundBatch(round, ranges);
  }

  /** While devices are at work, the next round's texts are read and dealt. */
  #prepare(round: number, ranges: readonly SampleRange[]): void {
    const { extent, worker } = this.#context;
    if (round > extent().rounds) return;
    // What went wrong is asked for again when its round begins, and said then.
    this.#prepared = { round, ranges, batch: worker.roundBatch(round, ranges).catch(() => null) };
  }

  #activity(state: RoundState): void {
    const { store, send } = this.#context;
    const nowMs = performance.now();
    const soon = nowMs - this.#activityMs < ACTIVITY_EVERY_MS;
    // Here every round shows, however short; over the network only what people could follow.
    if (soon && store.view.activity?.round === state.round) return;
    const activity = { round: state.round, devices: progress(state).map((entry) => ({ ...entry })) };
    store.dispatch({ type: 'activity', activity });
    if (soon) return;
    this.#activityMs = nowMs;
    send({ type: 'activity', activity });
  }
}

const sameRanges = (a: readonly SampleRange[], b: readonly SampleRange[]): boolean =>
  a.length === b.length && a.every(({ start, count }, i) => start === b[i]?.start && count === b[i].count);
