import { trainedLayers } from '../../../signaling/protocol/adapters.ts';
import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { DeviceView, RoomView, ScoreReport } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { OpenedSession } from '../../../worker/api/host-api.ts';
import { Conducts } from '../rounds/conducts.ts';
import type { DeviceLinks } from '../rounds/device-links.ts';
import type { AbleDevice } from '../rounds/round-step.ts';
import type { ViewStore } from '../view/view-store.ts';
import { Emitter } from '../world/emitter.ts';
import { messageOf } from '../world/with-progress.ts';
import { OneRound, type OneRoundContext } from './one-round.ts';
import { Scoring, type ScoringContext } from './scoring.ts';
import { afterSkipped, endsTraining, NONE_SKIPPED, skippedSentence } from './skipped-rounds.ts';

/** Begins the notice of training that stopped by itself. */
export const TRAINING_PAUSED = 'Training was paused:';

type Phase = RoomView['phase'];

export interface TrainingContext {
  /** Which host of the session this is, from 1. */
  readonly term: number;
  readonly settings: SessionSettings;
  /** What a checkpoint has behind it; null for a fresh start. The reports of it are in the store's view. */
  readonly resumed: { readonly round: number; readonly finished: boolean } | null;
  /** A second dev set, scored at the end. */
  readonly secondDev: OpenedSession['secondDev'];
  /** Evaluations without a better score after which training ends; 0 never. */
  readonly patience: number;
  readonly worker: OneRoundContext['worker'] & ScoringContext['worker'];
  readonly deviceLinks: DeviceLinks;
  readonly room: () => RoomView | null;
  readonly store: ViewStore;
  readonly send: (message: ClientMessage) => void;
  /** After a round; `resting` when no other follows at once. */
  readonly onRound: (round: number, resting: boolean) => void;
  readonly onPhase: (phase: RoomView['phase']) => void;
}

/** Whether so many evaluations came after the best one. */
export const isExhausted = (scores: readonly ScoreReport[], bestRound: number, patience: number): boolean =>
  patience > 0 && scores.filter(({ round }) => round > bestRound).length >= patience;

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
  readonly #oneRound: OneRound;
  readonly #telling = new Set<Promise<void>>();

  constructor(context: TrainingContext) {
    const { resumed, store } = context;
    this.#context = context;
    this.#round = resumed?.round ?? 0;
    this.#phase = resumed === null ? 'gathering' : resumed.finished ? 'finished' : 'paused';
    const { deviceLinks, send, settings, room, term, secondDev, worker } = context;
    this.#scoring = new Scoring({
      ...{ term, settings, secondDev, worker, deviceLinks, store, send },
      able: () => this.#conducts.trusted(this.#readyDevices()).flatMap((device) => this.#believed(device)),
      onTrainers: this.#changed.on,
      nameOf: (id) => this.#nameOf(id),
      onConduct: (late, answered) => this.#conducts.evaluationEnds(this.#round, late, answered),
      tell: (work) => this.#tell(work),
      signal: this.#abort.signal,
    });
    this.#conducts = new Conducts({
      layers: settings.shape.layers,
      trained: trainedLayers(settings.lora, settings.shape.layers),
      host: () => room()?.host ?? null,
      deviceLinks,
      send,
      onNews: (kind, sentence) => store.notice(kind, sentence),
      nameOf: (id) => this.#nameOf(id),
    });
    this.#oneRound = new OneRound({
      ...{ term, settings, worker, deviceLinks, store, send },
      conducts: this.#conducts,
      ready: () => this.#readyDevices(),
      onTrainers: this.#changed.on,
      nameOf: (id) => this.#nameOf(id),
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
    this.#abort.abort();
    this.#changed.emit();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { rounds } = this.#context.settings.training;
    try {
      while (!this.#abort.signal.aborted) {
        await this.#until(() => this.#phase === 'training' && this.#readyDevices().length > 0);
        this.#scoring.check();
        if (!this.#finishing) this.#stopEarly();
        if (this.#round >= rounds || this.#finishing) break;
        // Here and not after the round, so that a session that goes on from a checkpoint makes up for an evaluation that was cut off.
        await this.#scoring.beginDue(this.#round, this.#plan());
        await this.#until(() => this.#finishing || (this.#phase === 'training' && this.#plan() !== null));
        if (this.#finishing) continue;
        await this.#nextRound();
      }
      if (this.#abort.signal.aborted) return;
      const scored = this.#scoring.last(this.#round);
      await (endsTraining(this.#skipped) ? scored.catch((error: unknown) => this.#unscored(error)) : scored);
      this.#ended('finished');
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#context.store.notice('problem', `${TRAINING_PAUSED} ${messageOf(error)}`);
      this.#ended('paused');
    }
  }

  /** Nothing runs any more when others hear of it: they may start again at once. */
  #ended(phase: Phase): void {
    this.#running = false;
    this.#setPhase(phase);
  }

  /** Training ended because numbers overflowed: scores may, too, and what there is must be had all the same. */
  #unscored(error: unknown): void {
    this.#context.store.dispatch({ type: 'evaluation', evaluation: null });
    this.#context.store.notice('problem', `The last round could not be scored: ${messageOf(error)}`);
  }

  #plan(): RoomView['plan'] {
    return this.#context.room()?.plan ?? null;
  }

  #readyDevices(): readonly DeviceView[] {
    const { room, deviceLinks } = this.#context;
    return (room()?.devices ?? []).filter((device) => isReady(device) && deviceLinks.has(device.id));
  }

  #believed(device: DeviceView): readonly AbleDevice[] {
    const { profile } = device;
    return profile === null ? [] : [this.#conducts.believed(device, profile, this.#readyDevices())];
  }

  async #nextRound(): Promise<void> {
    const plan = this.#plan();
    if (plan === null) return;
    const round = this.#round + 1;
    await this.#oneRound.run(round, plan);
    this.#context.onRound(round, this.#phase !== 'training');
  }

  #stepped(round: number, wasSkipped: boolean): void {
    this.#round = round;
    this.#skipped = wasSkipped ? afterSkipped(this.#skipped, round) : NONE_SKIPPED;
    if (!wasSkipped) return;
    this.#finishing ||= endsTraining(this.#skipped);
    this.#context.store.notice('problem', skippedSentence(this.#skipped));
  }

  #nameOf(id: string): string {
    return this.#context.room()?.devices.find((device) => device.id === id)?.name ?? 'A device';
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
    const { best, scores } = store.view;
    if (best === null || !isExhausted(scores, best.round, patience)) return;
    this.#finishing = true;
    const evaluations = patience === 1 ? 'The last evaluation was' : `The last ${patience} evaluations were`;
    store.notice('news', `${evaluations} no better than the one after round ${best.round}: training ends early.`);
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

/** Devices that can take work now. */
export const isReady = (device: DeviceView): boolean =>
  device.status.kind === 'ready' && device.profile !== null && device.linked;
