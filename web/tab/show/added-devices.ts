import type { JoinSession } from '../../session/join-session.ts';
import { joinSession } from '../../session/members.ts';
import type { HostSession } from '../../session/view/view.ts';
import { processorShare, processorsFor, threadsOf } from '../../session/world/processor-share.ts';
import * as say from '../../words/tab/show.ts';
import { claimBytes } from '../memory/crumbs.ts';
import { tabDoor } from '../tab-door.ts';
import { tabEnvironment } from '../tab-environment.ts';
import { changedWorker, OneComputer } from './changed-worker.ts';

/** More would only stand in each other's way. */
const MOST_ADDED = 8;

/** Devices that run beside the host's own in its tab. They share its processor, and all of them say so in what they state of themselves. */
export class AddedDevices {
  readonly #origin: string;
  readonly #host: HostSession;
  readonly #running = new Set<JoinSession>();
  #computer: OneComputer | null = null;
  #added = 0;

  /** `origin` is the address of the session's server. */
  constructor(origin: string, host: HostSession) {
    this.#origin = origin;
    this.#host = host;
    const off = host.subscribe(({ ended }) => {
      if (ended === null) return;
      off();
      for (const session of this.#running) session.leave();
    });
  }

  /** @throws Error, one sentence, where none can be added now. */
  add(): void {
    const { invitation, room, self } = this.#host.view;
    if (invitation === null) throw new Error(say.thisSessionHasNoLink);
    if (this.#running.size >= MOST_ADDED) throw new Error(say.devicesWereAdded(MOST_ADDED));
    const own = room?.devices.find(({ id }) => id === self)?.profile ?? null;
    if (own === null) throw new Error(say.waitUntilThisDeviceHas);
    // What the host measured while it was alone holds for all that run beside it.
    this.#computer ??= new OneComputer(0, () => undefined, own);
    const computer = this.#computer;
    const environment = tabEnvironment(tabDoor(this.#origin));
    const { room: code, secret } = invitation;
    const session = joinSession(
      {
        ...environment,
        seats: null,
        startDeviceWorker: () => changedWorker(environment.startDeviceWorker(), computer, () => false),
      },
      { room: code, secret },
      { name: say.thisTab(++this.#added + 1), watch: false, slowdown: 1 },
    );
    this.#running.add(session);
    session.subscribe(({ ended }) => {
      if (ended !== null && this.#running.delete(session)) this.#state();
    });
    this.#state();
  }

  /** All of them anew: each has become slower by as much as the processor is wanted by more. */
  #state(): void {
    if (this.#host.view.ended !== null) return;
    const { engine = 'onnx' } =
      this.#host.view.room?.devices.find(({ id }) => id === this.#host.view.self)?.profile ?? {};
    const threads = threadsOf(engine, navigator.hardwareConcurrency, crossOriginIsolated);
    const wanted = Array.from({ length: this.#running.size + 1 }, () => 1 / threads);
    const share = processorShare(wanted, processorsFor(engine, navigator.hardwareConcurrency));
    const pretence = { slowdown: 1, share, memoryLimitBytes: claimBytes() };
    void this.#host.pretend(pretence);
    for (const session of this.#running)
      void session.pretend({ ...pretence, uplinkBitsPerSecond: Number.POSITIVE_INFINITY });
  }
}
