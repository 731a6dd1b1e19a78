import { MAX_AUDITS } from '../../../signaling/protocol/words/audits.ts';
import { recipeFor } from '../../../signaling/protocol/words/recipes.ts';
import type { HostRequest } from '../../../worker/api/host-api.ts';
import type { JoinSession } from '../../session/join-session.ts';
import { joinSession, ownSession } from '../../session/members.ts';
import type { OwnSession } from '../../session/own-session.ts';
import type { Measured } from '../../session/rounds/model-worker.ts';
import type { DevicePretence, HostSession } from '../../session/view/view.ts';
import { Emitter } from '../../session/world/emitter.ts';
import { processorShare, processorsFor } from '../../session/world/processor-share.ts';
import * as say from '../../words/tab/show.ts';
import { PageHome } from '../home/page-home.ts';
import { roomPlanner } from '../home/room-planner.ts';
import { startPlanWorker } from '../workers.ts';
import { changedWorker, OneComputer } from './changed-worker.ts';
import { type DeviceWorld, deviceWorld } from './device-world.ts';
import { commonSlowdown } from './paces.ts';
import { Way } from './way.ts';

/** What a device of the demonstration is made out to be by its person; slower than the fastest one here, not than the computer. */
export type Made = Pick<DevicePretence, 'slowdown' | 'memoryLimitBytes' | 'uplinkBitsPerSecond'>;

/** A device of the demonstration as the page shows it; the room has the rest. */
export interface Actor {
  /** Which one of the cast; stays when the device is another one. */
  readonly place: number;
  readonly name: string;
  /** Its id in the room; another one each time that it is plugged in. */
  readonly device: string;
  readonly isHost: boolean;
  readonly made: Made;
  readonly plugged: boolean;
  readonly locked: boolean;
  readonly lies: boolean;
  /** It lied when its session ended: the others had found that out. */
  readonly caught: boolean;
}

/** A host and devices in this page, over real links, with a room of their own. */
export interface Demonstration {
  readonly host: HostSession;
  readonly actors: readonly Actor[];
  /** Called whenever `actors` is replaced. */
  readonly onActors: (listener: (actors: readonly Actor[]) => void) => () => void;
  make(place: number, made: Partial<Made>): void;
  plug(place: number, plugged: boolean): void;
  lock(place: number, locked: boolean): void;
  lie(place: number, lies: boolean): void;
  end(): void;
}

interface Part {
  readonly name: string;
  readonly made: Made;
}

const ROOMY_BYTES = 1e9;
/** Who takes part, the host first. */
const CAST: readonly Part[] = [
  { name: say.laptop, made: { slowdown: 1, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: Infinity } },
  { name: say.oldLaptop, made: { slowdown: 1.2, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: 5e7 } },
  { name: say.tablet, made: { slowdown: 1.5, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: 2e7 } },
  { name: say.phone, made: { slowdown: 1.8, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: 1e7 } },
];

const MODEL = 'roberta-mini';
const TASK = 'grammar';
/** Rounds until it ends by itself; it is left long before. */
const ROUNDS = 400;
const WARM_UP_ROUNDS = 8;
const EVALUATE_EVERY = 10;
/** Enough that a round is more than what it begins with. */
const SAMPLES = 64;
/** Goodbyes that are under way are let out. */
const GOODBYE_MS = 1000;

const requestOf = (origin: string): HostRequest => {
  const { lora, training } = recipeFor(TASK, 'mini');
  return {
    model: { kind: 'embedded', id: MODEL },
    weights: 'f32',
    task: { id: TASK, endpoint: '' },
    lora,
    training: {
      ...{ ...training, rounds: ROUNDS, samplesPerRound: SAMPLES, warmupFraction: WARM_UP_ROUNDS / ROUNDS },
      ...{ schedule: 'constant', seed: 1, evaluateEvery: EVALUATE_EVERY },
    },
    origin,
  };
};

/** One of the cast behind the page: its way to the others, and its session, which is another one each time that it is plugged in. */
interface Place {
  way: Way;
  world: DeviceWorld;
  session: OwnSession | JoinSession | null;
  /** What it was last made out to be. */
  told: string;
}

/** `origin` is the address of the page's folder, where `models/` lies. */
export function beginDemonstration(origin: string): Demonstration {
  return new Stage(origin);
}

class Stage implements Demonstration {
  readonly host: OwnSession;
  readonly #origin: string;
  readonly #planner = roomPlanner(startPlanWorker);
  readonly #home = new PageHome(this.#planner.ask);
  readonly #computer: OneComputer;
  readonly #places: Place[];
  readonly #changed = new Emitter<readonly Actor[]>();
  readonly onActors = this.#changed.on;
  #addresses = 0;
  actors: readonly Actor[];
  /** How many times slower than the computer the fastest device is. */
  #common = 1;
  #engine: Measured['engine'] = 'onnx';

  constructor(origin: string) {
    this.#origin = origin;
    const request = requestOf(origin);
    this.actors = CAST.map(({ name, made }, place) => ({
      ...{ place, name, made, device: '', isHost: place === 0 },
      ...{ plugged: true, locked: false, lies: false, caught: false },
    }));
    this.#computer = new OneComputer(CAST.length, (measured) => {
      const layers = this.host.view.room?.settings.shape.layers ?? 1;
      this.#engine = measured.engine;
      this.#common = commonSlowdown(measured, layers, request.training.samplesPerRound);
      this.#state();
    });
    this.#places = CAST.map((_, place) => this.#newPlace(place));
    this.host = ownSession(this.#places[0]!.world.environment, request, {
      ...{ name: CAST[0]!.name, policy: 'auto', slowdown: 1, patience: 0, door: 'link' },
      // A lie is found within a few rounds.
      audits: MAX_AUDITS,
    });
    this.#places[0]!.session = this.host;
    this.#become(0, { device: this.host.view.self });
    this.#state();
    const offInvited = this.host.subscribe(({ invitation }) => {
      if (invitation === null) return;
      offInvited();
      for (const { place, isHost } of this.actors) if (!isHost) this.#join(place);
    });
  }

  make(place: number, change: Partial<Made>): void {
    const made = { ...this.actors[place]!.made, ...change };
    this.#become(place, { made });
    const { way } = this.#places[place]!;
    if (way.bitsPerSecond !== made.uplinkBitsPerSecond) way.bitsPerSecond = made.uplinkBitsPerSecond;
    this.#state();
  }

  plug(place: number, plugged: boolean): void {
    if (plugged === this.actors[place]!.plugged) return;
    this.#become(place, { plugged, locked: false, lies: false, caught: false });
    const { way, session } = this.#places[place]!;
    if (plugged) {
      this.#places[place] = this.#newPlace(place);
      this.#join(place);
    } else {
      way.cut();
      session?.leave();
      this.#places[place]!.session = null;
    }
    this.#state();
  }

  lock(place: number, locked: boolean): void {
    const { world, way } = this.#places[place]!;
    world.hide(locked);
    if (!locked) way.hold(false);
    // What it says of itself gets out just before.
    else setTimeout(() => way.hold(this.actors[place]!.locked), 50);
    this.#become(place, { locked });
  }

  lie(place: number, lies: boolean): void {
    this.#become(place, { lies });
  }

  end(): void {
    for (const { session } of this.#places) session?.leave();
    this.#planner.close();
    setTimeout(() => this.#home.close(), GOODBYE_MS);
  }

  #newPlace(place: number): Place {
    const way = new Way();
    const address = `device ${++this.#addresses}`;
    const lies = (): boolean => this.actors[place]!.lies;
    const world = deviceWorld(this.#origin, this.#home, address, way, (worker) =>
      changedWorker(worker, this.#computer, lies),
    );
    return { way, world, session: null, told: '' };
  }

  #join(place: number): void {
    const { invitation } = this.host.view;
    if (invitation === null || this.host.view.ended !== null) return;
    const { name } = this.actors[place]!;
    const { room, secret } = invitation;
    const at = this.#places[place]!;
    const joined = joinSession(at.world.environment, { room, secret }, { name, watch: false, slowdown: 1 });
    at.session = joined;
    joined.subscribe(({ status, ended }) => {
      // Its link is measured as it is, and slow from then on.
      if (status.kind === 'ready') at.way.bitsPerSecond = this.actors[place]!.made.uplinkBitsPerSecond;
      if (ended !== null && at.session === joined && this.actors[place]!.plugged)
        this.#become(place, { plugged: false, locked: false, lies: false, caught: this.actors[place]!.lies });
    });
    this.#become(place, { device: joined.view.self });
    this.#state();
  }

  /** Every device of which something is different now says so. */
  #state(): void {
    for (const [place, at] of this.#places.entries()) {
      const pretence = this.#pretence(place);
      const told = JSON.stringify(pretence);
      if (at.session === null || told === at.told) continue;
      at.told = told;
      void at.session.pretend(pretence);
    }
  }

  #pretence(place: number): DevicePretence {
    const { slowdown, ...made } = this.actors[place]!.made;
    const all = this.actors.filter(({ plugged }) => plugged).map((actor) => this.#common * actor.made.slowdown);
    return {
      ...made,
      slowdown: this.#common * slowdown,
      share: processorShare(all, processorsFor(this.#engine, navigator.hardwareConcurrency)),
    };
  }

  #become(place: number, change: Partial<Actor>): void {
    this.actors = this.actors.map((actor) => (actor.place === place ? { ...actor, ...change } : actor));
    this.#changed.emit(this.actors);
  }
}
