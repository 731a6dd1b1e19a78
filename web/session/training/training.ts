import { trainedLayers } from '../../../signaling/protocol/adapters.ts';
import type { ToldStandings } from '../../../signaling/protocol/exchange/audit-messages.ts';
import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { Extent, SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import type { HostWorkerApi, OpenedSession } from '../../../worker/api/host-api.ts';
import * as say from '../../words/session/training.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import type { AuditsContext } from '../rounds/audits/audits.ts';
import { Conducts } from '../rounds/conducts.ts';
import type { DeviceLinks, ParameterState } from '../rounds/device-links.ts';
import type { AbleDevice } from '../rounds/round-step.ts';
import { samplesOf } from '../rounds/run-round.ts';
import { isSplit, possibleStages } from '../rounds/split/layout.ts';
import { Relay } from '../rounds/split/relay.ts';
import type { ViewStore } from '../view/view-store.ts';
import { Emitter } from '../world/emitter.ts';
import { messageOf } from '../world/with-progress.ts';
import { Checking } from './checking.ts';
import { Crew } from './crew.ts';
import { earlyStop } from './early-stop.ts';
import { OneRound, type OneRoundContext } from './one-round.ts';
import { Pipelines } from './pipelines.ts';
import { Scoring, type ScoringContext } from './scoring.ts';
import { afterSkipped, endsTraining, NONE_SKIPPED, skippedSentence } from './skipped-rounds.ts';
import { Turns } from './turns.ts';

/** Begins the notice of training that stopped by itself. */
export const TRAINING_PAUSED = say.trainingWasPaused;

/** Longest messages of one device that may wait to be handed on: its hidden states of a round up and down, and of one that is said again. */
const MAX_RELAYED = 8;

const NOT_LAID_OUT = say.theStagesOfThisRoom;

type Phase = RoomView['phase'];

export interface TrainingContext {
  /** Which host of the session this is, from 1. */
  readonly term: number;
  readonly settings: SessionSettings;
  /** How far training goes: the settings', unless the host's person changed it. */
  readonly extent: () => Extent;
  /** What a checkpoint has behind it; null for a fresh start. The reports of it are in the store's view. */
  readonly resumed: { readonly round: number; readonly finished: boolean } | null;
  /** A second dev set, scored at the end. */
  readonly secondDev: OpenedSession['secondDev'];
  /** Evaluations without a better score after which training ends; 0 never. */
  readonly patience: number;
  readonly worker: OneRoundContext['worker'] & ScoringContext['worker'] & Pick<HostWorkerApi, 'undo'>;
  readonly audits: Pick<AuditsContext, 'share' | 'key' | 'onLiar' | 'standings'>;
  readonly deviceLinks: DeviceLinks;
  /** Whether a device may lead when this host is gone. */
  readonly mayLead: (device: string) => boolean;
  /** To those who may, what a round came to; before its step. */
  readonly tellHeirs: OneRoundContext['tellHeirs'];
  readonly room: () => RoomView | null;
  readonly store: ViewStore;
  readonly send: (message: ClientMessage) => void;
  /** After a round; `resting` when no other follows at once. */
  readonly onRound: (round: number, resting: boolean) => void;
  readonly onPhase: (phase: RoomView['phase']) => void;
}

/** The host's rounds from first to last: train, merge, step; scores beside them. One loop; phase changes act between rounds. */
export class Training {
  readonly #context: TrainingContext;
  readonly #changed = new Emitter<void>();
  readonly #abort = new AbortController();
  #phase: Phase;
  #finishing = false;
  #running = false;
  #round: number;
  #skipped = NONE_SKIPPED;
  readonly #conducts: Conducts;
  readonly #scoring: Scoring;
  readonly #checking: Checking;
  readonly #oneRound: OneRound;
  readonly #turns = new Turns();
  readonly #pipelines: Pipelines;
  readonly #relay: Relay;
  readonly #crew: Crew;
  readonly #telling = new Set<Promise<void>>();

  constructor(context: TrainingContext) {
    const { resumed, store } = context;
    this.#context = context;
    this.#round = resumed?.round ?? 0;
    this.#phase = resumed === null ? 'gathering' : resumed.finished ? 'finished' : 'paused';
    const { deviceLinks, send, settings, extent, room, term, secondDev, worker } = context;
    this.#crew = new Crew({ settings, deviceLinks, room });
    let evaluations = 0;
    const nextEvaluation = (): number => ++evaluations;
    this.#pipelines = new Pipelines({
      ...{ term, settings, deviceLinks, nextEvaluation, turns: this.#turns },
      policy: () => room()?.settings.policy ?? settings.policy,
      plan: () => this.#crew.plan,
      laidOut: () => this.#crew.laidOut,
      until: (condition) => this.#until(condition),
      nameOf: (id) => this.#crew.nameOf(id),
    });
    this.#relay = new Relay({
      deviceLinks,
      members: () => possibleStages(this.#crew.plan, this.#crew.devices),
      maxBytes: MAX_RELAYED * tensorSizes(settings).toDeviceBytes,
    });
    this.#scoring = new Scoring({
      ...{ term, settings, extent, secondDev, worker, deviceLinks, store, send, nextEvaluation },
      pipelines: this.#pipelines,
      able: () => this.#conducts.trusted(this.#crew.ready).flatMap((device) => this.#believed(device)),
      onTrainers: this.#changed.on,
      nameOf: (id) => this.#crew.nameOf(id),
      onConduct: (late, answered) => this.#conducts.evaluationEnds(this.#round, late, answered),
      checks: { share: context.audits.share, host: () => this.#crew.host, audits: () => this.#checking.audits },
      tell: (work) => this.#tell(work),
      signal: this.#abort.signal,
    });
    this.#conducts = new Conducts({
      layers: settings.shape.layers,
      trained: trainedLayers(settings.lora, settings.shape.layers),
      host: () => this.#crew.host,
      deviceLinks,
      send,
      onNews: (kind, sentence) => store.notice(kind, sentence),
      nameOf: (id) => this.#crew.nameOf(id),
    });
    this.#checking = new Checking({
      ...{ ...context.audits, term, settings, deviceLinks, worker, store },
      host: () => this.#crew.host,
      able: () => this.#crew.ready.flatMap((device) => this.#believed(device)),
      devices: () => this.#crew.devices,
      plan: () => this.#crew.plan,
      nameOf: (id) => this.#crew.nameOf(id),
      onLiar: (device) => {
        context.audits.onLiar(device);
        this.#changed.emit();
      },
    });
    this.#oneRound = new OneRound({
      ...{ term, settings, extent, worker, deviceLinks, store, send },
      conducts: this.#conducts,
      audits: this.#checking.audits,
      ready: () => this.#crew.ready,
      mayLead: context.mayLead,
      tellHeirs: context.tellHeirs,
      devices: () => this.#crew.devices,
      host: () => this.#crew.host ?? '',
      onTrainers: this.#changed.on,
      nameOf: (id) => this.#crew.nameOf(id),
      tell: (work) => this.#tell(work),
      onOrders: (plan) => this.#scoring.roundBegins(plan),
      onStepped: (round, wasSkipped) => this.#stepped(round, wasSkipped),
      signal: this.#abort.signal,
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  start(): void {
    if (this.#phase === 'finished' || this.#phase === 'training') return;
    this.#setPhase('training');
    void this.#run();
  }

  pause(): void {
    if (this.#phase !== 'training') return;
    this.#setPhase('paused');
    this.#scoring.hurry();
  }

  /** Ends after the current round; evaluates. */
  finish(): void {
    if (this.#phase === 'finished' || this.#phase === 'gathering') return;
    this.#finishing = true;
    if (this.#phase === 'paused') this.start();
    this.#changed.emit();
  }

  get round(): number {
    return this.#round;
  }

  /** What is known of these devices' honesty, for whoever leads after this host; null where nobody is checked. */
  standings(devices: readonly string[]): Omit<ToldStandings, 'type' | 'term'> | null {
    const { audits } = this.#checking;
    return audits.isOn ? { round: this.#round, devices: audits.told(devices) } : null;
  }

  /** Resolves when no step and no score is half told: worker and view then agree on how far the session is. */
  async quiet(): Promise<void> {
    while (this.#telling.size > 0) await Promise.all(this.#telling);
  }

  roomChanged(): void {
    this.#conducts.roomChanged(this.#context.room());
    this.#changed.emit();
  }

  close(): void {
    this.#conducts.close();
    this.#relay.close();
    this.#checking.close();
    this.#abort.abort();
    this.#changed.emit();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#abort.signal.aborted) {
        await this.#until(() => this.#checking.isDue || (this.#phase === 'training' && this.#crew.isManned));
        if (await this.#goBack()) continue;
        this.#scoring.check();
        if (!this.#finishing) this.#stopEarly();
        if (this.#round >= this.#context.extent().rounds || this.#isFinishing) {
          await this.#checking.settled();
          if (this.#checking.isDue) continue;
          break;
        }
        // Here and not after the round, so that a session that goes on from a checkpoint makes up for an evaluation that was cut off.
        await this.#scoring.beginDue(this.#round, this.#crew.plan);
        await this.#until(() => this.#isWanted() || (this.#phase === 'training' && this.#crew.laidOut !== null));
        if (this.#isWanted()) continue;
        await this.#nextRound();
      }
      if (this.#abort.signal.aborted) return;
      const scored = this.#scoring.last(this.#round);
      await (endsTraining(this.#skipped) ? scored.catch((error: unknown) => this.#unscored(error)) : scored);
      // Who lied of the last score may have lied before.
      if (this.#checking.isDue) {
        this.#running = false;
        return await this.#run();
      }
      this.#ended('finished');
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#context.store.notice('problem', `${TRAINING_PAUSED} ${messageOf(error)}`);
      this.#ended('paused');
    }
  }

  /** Rounds that are repeated come first. */
  get #isFinishing(): boolean {
    return this.#finishing && this.#checking.isRepeated(this.#round);
  }

  /** Something else comes before the next round. */
  #isWanted(): boolean {
    return this.#isFinishing || this.#checking.isDue;
  }

  /** Undoes rounds where a device lied; true where it did. */
  async #goBack(): Promise<boolean> {
    let round: number | null = null;
    await this.#tell(async () => {
      round = await this.#checking.goBack(this.#round);
      if (round === null) return;
      this.#round = round;
      this.#skipped = NONE_SKIPPED;
      this.#oneRound.undone();
      this.#scoring.undone(round);
    });
    return round !== null;
  }

  /** Nothing runs any more when others hear of it: they may start again at once. */
  #ended(phase: Phase): void {
    this.#running = false;
    this.#setPhase(phase);
  }

  /** Training ended because numbers overflowed: scores may, too, and what there is must be had all the same. */
  #unscored(error: unknown): void {
    this.#context.store.dispatch({ type: 'evaluation', evaluation: null });
    this.#context.store.notice('problem', say.theLastRoundCouldNot(messageOf(error)));
  }

  /** (B,labels) logits of samples that all stages of a split room are asked for together; null where the room is not split. */
  async predict(batch: TokenBatch, parameters: ParameterState): Promise<Float32Array | null> {
    if (!this.#pipelines.areUsed) return null;
    if (this.#crew.laidOut === null) throw new Error(NOT_LAID_OUT);
    return this.#pipelines.logits(
      batch.lengths.length,
      async (start, count) => samplesOf(batch, start, count),
      parameters,
      () => undefined,
      this.#abort.signal,
    );
  }

  #believed(device: DeviceView): readonly AbleDevice[] {
    const { profile } = device;
    return profile === null ? [] : [this.#conducts.believed(device, profile, this.#crew.ready)];
  }

  async #nextRound(): Promise<void> {
    const round = this.#round + 1;
    const next = this.#crew.laidOut;
    const run = async (): Promise<boolean> => {
      // While others had their turn the room may have changed.
      const plan = this.#crew.laidOut;
      return plan !== null && this.#oneRound.run(round, plan);
    };
    const wasRun = await (next !== null && isSplit(next) ? this.#turns.take(run) : run());
    if (wasRun) this.#context.onRound(round, this.#phase !== 'training');
  }

  #stepped(round: number, wasSkipped: boolean): void {
    this.#round = round;
    this.#skipped = wasSkipped ? afterSkipped(this.#skipped, round) : NONE_SKIPPED;
    if (!wasSkipped) return;
    this.#finishing ||= endsTraining(this.#skipped);
    this.#context.store.notice('problem', skippedSentence(this.#skipped));
  }

  async #tell(work: () => Promise<void>): Promise<void> {
    const told = work();
    const telling = told.catch(() => undefined);
    this.#telling.add(telling);
    try {
      await told;
    } finally {
      this.#telling.delete(telling);
    }
  }

  #stopEarly(): void {
    const { patience, store } = this.#context;
    const sentence = earlyStop(store.view, patience);
    if (sentence === null) return;
    this.#finishing = true;
    store.notice('news', sentence);
  }

  #setPhase(phase: Phase): void {
    this.#phase = phase;
    this.#context.send({ type: 'phase', phase });
    this.#context.onPhase(phase);
    this.#changed.emit();
  }

  /** Waits for a condition that room changes and phase changes can make true; returns at once when the session ends. */
  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (condition() || this.#abort.signal.aborted) return resolve();
      const off = this.#changed.on(() => {
        if (!condition() && !this.#abort.signal.aborted) return;
        off();
        resolve();
      });
    });
  }
}
