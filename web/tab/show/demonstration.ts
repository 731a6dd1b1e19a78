import { MAX_AUDITS } from '../../../signaling/protocol/words/audits.ts';
import { recipeFor } from '../../../signaling/protocol/words/recipes.ts';
import type { HostRequest } from '../../../worker/api/host-api.ts';
import type { JoinSession } from '../../session/join-session.ts';
import { joinSession, ownSession } from '../../session/members.ts';
import type { OwnSession } from '../../session/own-session.ts';
import type { DevicePretence, HostSession } from '../../session/view/view.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';
import { Emitter } from '../../session/world/emitter.ts';
import { PageHome } from '../home/page-home.ts';
import { roomPlanner } from '../home/room-planner.ts';
import { plannerInTab } from '../plan-in-tab.ts';
import { startPlanWorker } from '../workers.ts';
import { type DeviceWorld, deviceWorld } from './device-world.ts';
import { lyingWhere } from './pretending-worker.ts';
import { Way } from './way.ts';

/** What a device of the demonstration is made out to be by its person. */
export type Made = Omit<DevicePretence, 'share'>;

/** A device of the demonstration as the page shows it; the room has the rest. */
export interface Actor {
  /** Its place, which stays when the device is another one. */
  readonly place: number;
  readonly name: string;
  /** Its id in the room; another one each time that it is plugged in. */
  readonly device: string;
  readonly isHost: boolean;
  readonly made: Made;
  readonly plugged: boolean;
  readonly locked: boolean;
  readonly lies: boolean;
}

/** A host and devices in this page, over real links, with a room of their own. */
export interface Demonstration {
  readonly host: HostSession;
  readonly plan: AskPlanner;
  readonly actors: readonly Actor[];
  /** Called whenever `actors` is replaced. */
  readonly onActors: (listener: (actors: readonly Actor[]) => void) => () => void;
  make(place: number, made: Partial<Made>): void;
  plug(place: number, plugged: boolean): void;
  lock(place: number, locked: boolean): void;
  lie(place: number, lies: boolean): void;
  end(): void;
}

export interface Part {
  readonly name: string;
  readonly made: Made;
}

const ROOMY_BYTES = 1e9;
const FREE = Number.POSITIVE_INFINITY;
/** Who takes part, the host first. */
export const CAST: readonly Part[] = [
  { name: 'Laptop', made: { slowdown: 1, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: FREE } },
  { name: 'Old laptop', made: { slowdown: 2, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: 5e7 } },
  { name: 'Tablet', made: { slowdown: 3, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: 2e7 } },
  { name: 'Phone', made: { slowdown: 4, memoryLimitBytes: ROOMY_BYTES, uplinkBitsPerSecond: 1e7 } },
];

const MODEL = 'roberta-mini';
const TASK = 'grammar';
const SEED = 1;
/** Rounds until the demonstration ends by itself; it is left long before. */
const ROUNDS = 400;
const EVALUATE_EVERY = 10;

const request = (origin: string): HostRequest => {
  const { lora, training } = recipeFor(TASK, 'mini');
  return {
    model: { kind: 'embedded', id: MODEL },
    weights: 'f32',
    task: { id: TASK, endpoint: '' },
    lora,
    training: { ...training, rounds: ROUNDS, schedule: 'constant', seed: SEED, evaluateEvery: EVALUATE_EVERY },
    origin,
  };
};

/** `origin` is the address of the page's folder, where `models/` lies. */
export function beginDemonstration(origin: string, cast: readonly Part[] = CAST): Demonstration {
  const planner = roomPlanner(startPlanWorker);
  const home = new PageHome(planner.ask);
  const changed = new Emitter<readonly Actor[]>();
  let actors: readonly Actor[] = [];
  const become = (place: number, change: Partial<Actor>): void => {
    actors = actors.map((actor) => (actor.place === place ? { ...actor, ...change } : actor));
    changed.emit(actors);
  };
  const stage = cast.map((part, place) => newPlace(origin, home, () => actors[place]?.lies ?? false, part));
  const [first, ...others] = stage;
  if (first === undefined) throw new Error('A demonstration needs a host.');
  const host = ownSession(first.world.environment, request(origin), {
    name: first.part.name,
    policy: 'auto',
    slowdown: first.part.made.slowdown,
    patience: 0,
    audits: MAX_AUDITS,
    door: 'open',
  });
  void host.pretend(stated(first.part.made));
  first.session = host;
  actors = cast.map(({ name, made }, place) => ({
    ...{ place, name, made, isHost: place === 0, plugged: place === 0, locked: false, lies: false },
    device: place === 0 ? host.view.self : '',
  }));

  const join = (place: number): void => {
    const at = stage[place]!;
    const { invitation } = host.view;
    if (invitation === null || host.view.ended !== null) return;
    const { name, made } = actors[place]!;
    const { room, secret } = invitation;
    const joined = joinSession(at.world.environment, { room, secret }, { name, watch: false, slowdown: made.slowdown });
    void joined.pretend(stated(made));
    at.session = joined;
    // Measured as it is; slow from then on.
    const off = joined.subscribe(({ status }) => {
      if (status.kind !== 'ready') return;
      off();
      at.way.bitsPerSecond = actors[place]!.made.uplinkBitsPerSecond;
    });
    become(place, { device: joined.view.self, plugged: true, locked: false, lies: false });
  };
  const off = host.subscribe(({ invitation }) => {
    if (invitation === null) return;
    off();
    for (const [i] of others.entries()) join(i + 1);
  });
  const offStart = host.subscribe(({ room }) => {
    const devices = room?.devices.filter(({ status, linked }) => status.kind === 'ready' && linked) ?? [];
    if (room?.plan == null || devices.length < cast.length) return;
    offStart();
    host.start();
  });
  return {
    host,
    plan: plannerInTab(),
    get actors() {
      return actors;
    },
    onActors: changed.on,
    make: (place, change) => {
      const at = stage[place]!;
      const made = { ...actors[place]!.made, ...change };
      become(place, { made });
      at.way.bitsPerSecond = made.uplinkBitsPerSecond;
      void at.session?.pretend(stated(made));
    },
    plug: (place, plugged) => {
      const at = stage[place]!;
      if (plugged === actors[place]!.plugged) return;
      if (!plugged) {
        at.unplug();
        become(place, { plugged: false, locked: false, lies: false });
      } else {
        stage[place] = newPlace(origin, home, () => actors[place]?.lies ?? false, at.part);
        join(place);
      }
    },
    lock: (place, locked) => {
      const { world, way } = stage[place]!;
      if (locked) world.hide(true);
      // What it says of itself gets out just before.
      queueMicrotask(() => way.hold(locked));
      if (!locked) world.hide(false);
      become(place, { locked });
    },
    lie: (place, lies) => become(place, { lies }),
    end: () => {
      for (const { session } of stage) session?.leave();
      planner.close();
      setTimeout(() => home.close(), 1000);
    },
  };
}

const stated = (made: Made): DevicePretence => ({ ...made, share: 1 });

interface Place {
  readonly part: Part;
  readonly way: Way;
  readonly world: DeviceWorld;
  session: OwnSession | JoinSession | null;
  unplug(): void;
}

function newPlace(origin: string, home: PageHome, lies: () => boolean, part: Part): Place {
  const way = new Way();
  const place: Place = {
    part,
    way,
    world: deviceWorld(origin, home, way, (worker) => lyingWhere(lies, worker)),
    session: null,
    unplug: () => {
      way.cut();
      place.session?.leave();
      place.session = null;
    },
  };
  return place;
}
