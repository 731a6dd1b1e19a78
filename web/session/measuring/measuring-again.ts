import { LOCAL_LINK_BITS_PER_SECOND } from '../../../signaling/protocol/profile.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { MeasuredAgain } from '../../../worker/api/device-api.ts';
import { probeLink } from '../links/link-probe.ts';
import type { MessageLink } from '../links/message-link.ts';
import type { Measured } from '../rounds/model-worker.ts';
import { StepLoop } from '../rounds/step-loop.ts';
import { placeInPlan } from './place-in-plan.ts';
import { type AgainEffect, type AgainEvent, type AgainState, NOT_LEFT_OUT, stepAgain } from './when-again.ts';

/** What a probe beside a session's rounds may take of the host's link. */
const PROBE = { mostBytes: 512 * 1024, longestMs: 1000 };

/** The link to the host, and the rate at which it is known to carry. */
export interface KnownLink {
  readonly link: MessageLink;
  readonly bitsPerSecond: number;
}

export interface Fresh {
  readonly measured: Measured;
  readonly linkBitsPerSecond: number;
}

export interface AgainContext {
  readonly self: string;
  readonly room: () => RoomView | null;
  readonly link: () => KnownLink | null;
  /** Null where other work came first. */
  readonly measure: () => Promise<MeasuredAgain | null>;
  readonly onFresh: (fresh: Fresh) => void;
}

/** A device that a plan leaves out measures itself again, by its own clock: the rim of `when-again.ts`. */
export class MeasuringAgain {
  readonly #context: AgainContext;
  readonly #loop: StepLoop<AgainState, AgainEvent, AgainEffect>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: AgainContext) {
    this.#context = context;
    this.#loop = new StepLoop(stepAgain, NOT_LEFT_OUT, (effect) => this.#perform(effect));
  }

  roomChanged(): void {
    const { room, self } = this.#context;
    this.#loop.take({ type: 'placed', ...placeInPlan(room(), self), atMs: performance.now() });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#loop.stop();
  }

  #perform(effect: AgainEffect): void {
    switch (effect.type) {
      case 'wait':
        clearTimeout(this.#timer);
        if (effect.ms !== null) this.#timer = setTimeout(() => this.#loop.take({ type: 'due' }), effect.ms);
        break;
      case 'measure':
        void this.#measure().then((how) => this.#loop.take({ type: 'measured', how }));
        break;
      default:
        effect satisfies never;
    }
  }

  async #measure(): Promise<Extract<AgainEvent, { type: 'measured' }>['how']> {
    const { measure, link, onFresh } = this.#context;
    try {
      const again = await measure();
      const known = link();
      if (again === null || known === null) return 'missed';
      onFresh({ measured: again.measured, linkBitsPerSecond: await rateNow(known) });
      return again.wasBusy ? 'busy' : 'well';
    } catch {
      // A link that broke, or a device that failed, is somebody else's to tell.
      return 'missed';
    }
  }
}

/** A short probe that came to an end too soon shows what a link carries at least. */
async function rateNow({ link, bitsPerSecond: known }: KnownLink): Promise<number> {
  if (known >= LOCAL_LINK_BITS_PER_SECOND) return known;
  const { bitsPerSecond, isSettled } = await probeLink(link, PROBE);
  return isSettled ? bitsPerSecond : Math.max(known, bitsPerSecond);
}
