import type { ExportedFile, HostWorkerApi } from '../../../worker/api/host-api.ts';
import * as say from '../../words/session/own.ts';
import type { Training } from '../training/training.ts';
import type { RunLog } from '../view/run-log.ts';
import type { HostOptions } from '../view/view.ts';
import type { ViewStore } from '../view/view-store.ts';
import type { SessionEnvironment } from '../world/environment.ts';
import type { Identity } from '../world/identity.ts';
import { Checkpoints } from './checkpoints.ts';
import { type HostKey, writeHostKey } from './host-key.ts';
import type { OwnDoor } from './own-door.ts';
import { checkpointName, type SessionNote } from './session-note.ts';

export interface OwnKeepingContext {
  readonly environment: Pick<SessionEnvironment, 'keep' | 'nowMs' | 'engine'>;
  readonly identity: Identity;
  readonly term: number;
  readonly options: HostOptions;
  readonly store: ViewStore;
  readonly log: RunLog;
  readonly entrance: Pick<OwnDoor, 'kept'>;
  readonly worker: HostWorkerApi;
  /** Null before the room was entered. */
  readonly training: () => Training | null;
  /** What proves to a server that forgot the room that its code is this session's. */
  readonly claim: () => string | null;
  /** Devices to which the person gave their own table. */
  readonly given: () => readonly string[];
}

/** What is kept of a session of one's own: checkpoints as it goes, and one to take away. */
export class OwnKeeping {
  readonly #context: OwnKeepingContext;
  /** Null where nothing is kept. */
  readonly #checkpoints: Checkpoints | null;

  constructor(context: OwnKeepingContext) {
    this.#context = context;
    this.#checkpoints = this.#makeCheckpoints();
  }

  /** After a round; `resting` when no other follows at once. */
  roundDone(round: number, resting: boolean): void {
    if (resting) void this.#checkpoints?.now();
    else this.#checkpoints?.roundDone(round);
  }

  now(): void {
    void this.#checkpoints?.now();
  }

  /** Keeps the session once more where something was trained; settles when that is done. */
  last(): Promise<void> {
    const training = this.#context.training();
    const worth = training !== null && training.round > 0;
    return worth ? (this.#checkpoints?.now() ?? Promise.resolve()) : Promise.resolve();
  }

  /** Everything that it takes to go on. Rejects with a sentence. */
  async file(open: <T>(work: Promise<T>) => Promise<T>): Promise<ExportedFile> {
    const { store, training, worker } = this.#context;
    await open(training()?.quiet() ?? Promise.resolve());
    const { room } = store.view;
    if (room === null) throw new Error(say.theSessionIsNotOpen);
    const bytes = await open(worker.checkpoint(this.#note()));
    return { name: checkpointName(room.settings, training()?.round ?? 0), bytes };
  }

  #makeCheckpoints(): Checkpoints | null {
    const { environment, identity, store, training, worker } = this.#context;
    const { keep } = environment;
    if (keep === null) return null;
    const { id, name } = identity;
    return new Checkpoints({
      keep: async () => {
        await training()?.quiet();
        const { room } = store.view;
        const round = training()?.round ?? 0;
        if (room !== null) {
          const session = { id, deviceName: name, key: writeHostKey(this.#hostKey(room.id)) };
          await keep(worker, session, this.#note());
        }
        return round;
      },
      onKept: (round) => store.dispatch({ type: 'kept', kept: { round, atMs: environment.nowMs() } }),
      onProblem: (sentence) => store.notice('problem', sentence),
    });
  }

  #note(): string {
    const { environment, identity, term, options, store, log, training } = this.#context;
    const { id, name } = identity;
    const { slowdown, patience, audits } = options;
    const { hiddenStates, embeddings } = store.view.room?.settings ?? {};
    const policy = store.view.room?.settings.policy ?? options.policy;
    const note: SessionNote = {
      identity: { id, name },
      term,
      options: {
        policy,
        slowdown,
        patience,
        ...(hiddenStates && { hiddenStates }),
        ...(embeddings && { embeddings }),
        ...(audits !== undefined && { audits }),
        ...(environment.engine && { engine: environment.engine }),
      },
      finished: training()?.phase === 'finished',
      savedAtMs: environment.nowMs(),
      log: [...log.lines()],
    };
    return JSON.stringify(note);
  }

  /** What seats this host again; kept beside what it keeps, never within. */
  #hostKey(room: string): HostKey {
    const { identity, claim, entrance } = this.#context;
    const given = [...this.#context.given()];
    const { id, key } = identity;
    const claimed = claim();
    return {
      ...{ id, key, room, door: entrance.kept },
      ...(claimed !== null && { claim: claimed }),
      ...(given.length > 0 && { given }),
    };
  }
}
