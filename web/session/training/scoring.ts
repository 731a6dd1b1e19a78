import { EVALUATION_SHARE, forwardSecondsPerToken } from '../../../signaling/protocol/cost-model.ts';
import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { ScoreReport } from '../../../signaling/protocol/room-view.ts';
import type { Extent, SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { DevPart, HostWorkerApi, OpenedSession } from '../../../worker/api/host-api.ts';
import type { DeviceLinks, ParameterState } from '../rounds/device-links.ts';
import { drainSeconds, type Evaluator } from '../rounds/evaluation-pieces.ts';
import type { Allowance } from '../rounds/evaluation-step.ts';
import type { AbleDevice } from '../rounds/round-step.ts';
import { type EvaluationInput, type RunningEvaluation, runEvaluation } from '../rounds/run-evaluation.ts';
import type { ViewStore } from '../view/view-store.ts';
import type { Listeners } from '../world/emitter.ts';
import type { Pipelines } from './pipelines.ts';
import { areTrue, type ScoreChecksContext } from './score-checks.ts';

/** Scores that are due before those before them are done; of more, the latest are left out. */
const MOST_WAITING = 4;

export interface ScoringContext {
  readonly term: number;
  readonly settings: SessionSettings;
  readonly extent: () => Extent;
  /** A second dev set, scored at the end. */
  readonly secondDev: OpenedSession['secondDev'];
  readonly worker: Pick<HostWorkerApi, 'parameters' | 'parametersBefore' | 'devLengths' | 'devChunk' | 'score'>;
  readonly deviceLinks: DeviceLinks;
  readonly store: ViewStore;
  readonly send: (message: ClientMessage) => void;
  /** What a split room evaluates with. */
  readonly pipelines: Pick<Pipelines, 'areUsed' | 'logits'>;
  readonly nextEvaluation: () => number;
  /** Devices that can evaluate now, as they are believed to be. */
  readonly able: () => readonly AbleDevice[];
  readonly onTrainers: Listeners<void>;
  readonly nameOf: (device: string) => string;
  readonly onConduct: (late: readonly string[], answered: readonly string[]) => void;
  /** How it is found out who evaluates falsely. */
  readonly checks: ScoreChecksContext;
  /** Runs what worker and view must agree on afterwards. */
  readonly tell: (work: () => Promise<void>) => Promise<void>;
  readonly signal: AbortSignal;
}

/** After which round of training the next score is due: the first one before all, then after every so many. */
export function isScoreDue({ rounds, evaluateEvery }: Extent, round: number, lastScored: number): boolean {
  if (lastScored < 0) return true;
  const turn = (of: number) => Math.floor(of / evaluateEvery);
  return evaluateEvery > 0 && round < rounds && turn(round) > turn(lastScored);
}

/** What each device may evaluate beside a round of this plan: what the plan leaves it idle, and a tenth of the round. */
export function allowancesOf(
  plan: Pick<RoomPlan, 'latencySeconds' | 'assignments'>,
  devices: readonly string[],
): ReadonlyMap<string, Allowance> {
  // What a round takes beside its devices' work is not theirs to use.
  const finish = Math.max(0, ...plan.assignments.map((one) => one.computeSeconds + one.uploadSeconds));
  return new Map(
    devices.map((device) => {
      const own = plan.assignments.find((assignment) => assignment.device === device);
      if (own === undefined || own.samples.count === 0)
        return [device, { seconds: Number.POSITIVE_INFINITY, aheadSeconds: 0 }];
      const busy = own.computeSeconds + own.uploadSeconds;
      const idle = finish - busy;
      return [device, { seconds: idle + EVALUATION_SHARE * plan.latencySeconds, aheadSeconds: busy }];
    }),
  );
}

/**
 * Scores while rounds go on, which wait for none but the last: of the sample, or of the whole dev set where that takes no more than its
 * part of the time. The best adapter is always chosen on the sample.
 */
export class Scoring {
  readonly #context: ScoringContext;
  /** Of which parameters the latest score is, whether it is there, under way or waits; -1 before the first. */
  #lastBegun: number;
  /** The latest score of the whole dev set, and of the second one. */
  #lastWhole: number;
  #secondScored = false;
  #running: RunningEvaluation | null = null;
  /** What is scored now, and how that is ended. */
  #scoring: { readonly version: number; readonly abort: AbortController } | null = null;
  #over: Promise<void> | null = null;
  readonly #waiting: { readonly parameters: ParameterState; readonly part: 'sample' | 'first' }[] = [];
  #hurrying = false;
  #saved: ReadonlyMap<string, Allowance> = new Map();
  #failure: { readonly error: unknown } | null = null;
  /** Counts the times that rounds were undone, and the round that was left the last time. */
  #undone = { times: 0, round: 0 };

  constructor(context: ScoringContext) {
    this.#context = context;
    this.#lastBegun = this.#lastScored;
    const { store, settings } = context;
    const whole = store.view.scores.findLast(({ examples }) => examples === settings.task.devExamples);
    this.#lastWhole = whole?.round ?? -1;
  }

  get #lastScored(): number {
    return this.#context.store.view.scores.at(-1)?.round ?? -1;
  }

  /** Has the parameters after `round` scored if that is due; resolves when rounds may go on. */
  async beginDue(round: number, plan: RoomPlan | null): Promise<void> {
    if (!isScoreDue(this.#context.extent(), round, this.#lastBegun)) return;
    const { worker } = this.#context;
    const first = this.#lastBegun < 0 && round > 0;
    if (this.#waiting.length < MOST_WAITING) {
      const parameters = first ? { version: 0, values: await worker.parametersBefore() } : await worker.parameters();
      this.#waiting.push({ parameters, part: await this.#affordable(plan) });
    }
    this.#lastBegun = first ? 0 : round;
    this.#over ??= this.#scoreWaiting();
  }

  /** Rounds after this one are repeated, and scored again. */
  undone(round: number): void {
    this.#undone = { times: this.#undone.times + 1, round };
    // Nobody may be given these parameters any more: under their number there will be others.
    if (this.#scoring !== null && this.#scoring.version > round) this.#scoring.abort.abort();
    const waiting = this.#waiting.filter(({ parameters }) => parameters.version <= round);
    this.#waiting.splice(0, this.#waiting.length, ...waiting);
    this.#lastBegun = Math.min(this.#lastBegun, round);
    this.#lastWhole = Math.min(this.#lastWhole, round);
  }

  /** One score after the other, until none waits. */
  async #scoreWaiting(): Promise<void> {
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        await this.#score(next.parameters, next.part, !this.#hurrying, null);
    } catch (error) {
      this.#failure = { error };
      this.#waiting.length = 0;
      this.#lastBegun = this.#lastScored;
    } finally {
      this.#over = null;
    }
  }

  roundBegins(plan: RoomPlan): void {
    this.#hurrying = false;
    const devices = this.#context.able().map(({ device }) => device);
    if (this.#running !== null) {
      this.#running.allow(allowancesOf(plan, devices));
      return;
    }
    // Of rounds beside which nothing is evaluated, their tenth is there for the next score.
    const before = this.#saved;
    this.#saved = new Map(
      devices.map((device) => {
        const seconds = (before.get(device)?.seconds ?? 0) + EVALUATION_SHARE * plan.latencySeconds;
        return [device, { seconds, aheadSeconds: plan.latencySeconds }];
      }),
    );
  }

  /** Nothing else is to be done for now. */
  hurry(): void {
    this.#hurrying = true;
    this.#running?.hurry();
  }

  /** @throws what a score under way came to, once. */
  check(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
  }

  /** Waits for the score under way, then scores the last parameters on all that there is. */
  async last(round: number): Promise<void> {
    this.hurry();
    await this.#over;
    this.#failure = null;
    // What went wrong beside the rounds may go well now; if not, that is said.
    const second = this.#secondScored ? null : this.#context.secondDev;
    if (this.#lastWhole !== round || second !== null)
      await this.#score(await this.#context.worker.parameters(), 'first', false, second);
  }

  /** The whole dev set where devices do it in its part of the time until the next score, else the sample. */
  async #affordable(plan: RoomPlan | null): Promise<'sample' | 'first'> {
    const { settings, extent, worker } = this.#context;
    const { devExamples } = settings.task;
    const { rounds, evaluateEvery } = extent();
    const sample = await worker.devLengths('sample');
    const mean = sample.reduce((sum, length) => sum + length, 0) / Math.max(1, sample.length);
    const seconds = drainSeconds(this.#evaluators(), devExamples * mean);
    const until = (plan?.latencySeconds ?? 0) * (evaluateEvery || rounds);
    return sample.length < devExamples && seconds > EVALUATION_SHARE * until ? 'sample' : 'first';
  }

  async #score(
    parameters: ParameterState,
    part: 'sample' | 'first',
    beside: boolean,
    second: OpenedSession['secondDev'],
  ): Promise<void> {
    const { settings, worker, store, send, tell } = this.#context;
    const startMs = performance.now();
    const found = await this.#unlessUndone(parameters, async (signal) => ({
      logits: await this.#logits(parameters, part, beside, signal),
      secondLogits: second === null ? null : await this.#logits(parameters, 'second', beside, signal),
    }));
    if (found === null) return;
    const { logits, secondLogits } = found;
    await tell(async () => {
      const { version, values } = parameters;
      const score = await worker.score({ version, values, part, logits, secondLogits });
      const { value, constant, loss, further, examples, error, chosenBy } = score;
      if (examples === settings.task.devExamples) this.#lastWhole = version;
      this.#secondScored ||= secondLogits !== null;
      const report: ScoreReport = {
        round: version,
        metric: settings.task.metric,
        value,
        constant,
        loss,
        examples,
        error,
        chosenBy,
        elapsedSeconds: (performance.now() - startMs) / 1000,
        ...(further.length === 0 ? {} : { further: further.map((entry) => ({ ...entry })) }),
      };
      store.dispatch({ type: 'score', report });
      send({ type: 'score', report });
    });
  }

  /** What `work` comes to; null where these parameters never were by then, because rounds were undone. */
  async #unlessUndone<T>({ version }: ParameterState, work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    const { signal } = this.#context;
    const { times } = this.#undone;
    const isUndone = (): boolean => this.#undone.times > times && version > this.#undone.round;
    const abort = new AbortController();
    const onAbort = (): void => abort.abort();
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#scoring = { version, abort };
    try {
      const found = await work(abort.signal);
      return isUndone() ? null : found;
    } catch (error) {
      if (signal.aborted || !isUndone()) throw error;
      this.#context.store.dispatch({ type: 'evaluation', evaluation: null });
      return null;
    } finally {
      this.#scoring = null;
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** (examples, labels) of a part, by all devices that are ready. */
  async #logits(
    parameters: ParameterState,
    part: DevPart,
    beside: boolean,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    const { term, settings, worker, deviceLinks, store, onTrainers, nameOf, onConduct } = this.#context;
    const { pipelines, nextEvaluation } = this.#context;
    const onProgress = (done: number, total: number): void =>
      store.dispatch({ type: 'evaluation', evaluation: { done, total } });
    const chunk = (start: number, count: number) => worker.devChunk(part, start, count);
    if (pipelines.areUsed) {
      const { length } = await worker.devLengths(part);
      const found = await pipelines.logits(length, chunk, parameters, onProgress, signal);
      if (found !== null) return found;
    }
    const input: EvaluationInput = {
      term,
      evaluation: nextEvaluation(),
      lengths: await worker.devLengths(part),
      labelCount: settings.task.labelCount,
      chunk,
      parameters,
      beside,
      deviceLinks,
      evaluators: () => this.#evaluators(),
      onTrainers,
      nameOf,
      onConduct,
      onProgress,
      signal,
    };
    const running = runEvaluation(input);
    this.#running = running;
    if (this.#hurrying) running.hurry();
    else if (beside) running.allow(this.#saved);
    this.#saved = new Map();
    try {
      const { answered } = running;
      const logits = await running.logits;
      if (await areTrue(this.#context.checks, input, nextEvaluation, { logits, answered })) return logits;
    } finally {
      this.#running = null;
    }
    // Once more, without whoever lied.
    return this.#logits(parameters, part, beside, signal);
  }

  #evaluators(): readonly Evaluator[] {
    const { able, settings } = this.#context;
    return able().map(({ device, profile }) => ({
      device,
      overheadSeconds: profile.overheadSeconds,
      secondsPerToken: forwardSecondsPerToken(profile, settings),
    }));
  }
}
