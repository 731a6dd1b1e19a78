import type { RoomView } from '../../../signaling/protocol/room-view.ts';

/** While others bring nothing for so long, the hub serves what is missing. */
const PATIENCE_MS = 6000;
/** The same while a link to the first of them may still be coming, or the host is loading and has nothing yet. */
const BEGINNING_MS = 15_000;
/** Where all that comes would take longer than this, the hub helps; judged after a while. */
const MOST_SECONDS = 60;
const JUDGED_AFTER_MS = 10_000;

export interface Gathered {
  readonly nowMs: number;
  readonly bytesLeft: number;
  /** That others gave, since the session began. */
  readonly takenBytes: number;
  readonly room: RoomView | null;
  /** Links to others. */
  readonly links: number;
}

/** When a device that waits for the model from others turns to the hub. */
export class HubPatience {
  #newsMs = 0;
  #beganMs = 0;
  #takenBefore = 0;
  #hostDone = -1;

  begin(nowMs: number, takenBytes: number): void {
    [this.#beganMs, this.#takenBefore, this.#hostDone] = [nowMs, takenBytes, -1];
    this.#newsMs = nowMs;
  }

  /** Something came: a part of the model, a link, a word on who has what. */
  news(nowMs: number): void {
    this.#newsMs = Math.max(this.#newsMs, nowMs);
  }

  isOver({ nowMs, bytesLeft, takenBytes, room, links }: Gathered): boolean {
    const host = room?.devices.find(({ id, online }) => id === room.host && online);
    const status = host?.status.kind === 'loading' || host?.status.kind === 'joining' ? host.status : null;
    const done = status?.kind === 'loading' ? status.done : -1;
    if (done > this.#hostDone) this.news(nowMs);
    this.#hostDone = done;
    const bytesPerMs = (takenBytes - this.#takenBefore) / Math.max(1, nowMs - this.#beganMs);
    if (nowMs - this.#beganMs > JUDGED_AFTER_MS && bytesLeft > bytesPerMs * 1000 * MOST_SECONDS) return true;
    const isBeginning = status !== null || (host !== undefined && links === 0);
    return nowMs - this.#newsMs > (isBeginning ? BEGINNING_MS : PATIENCE_MS);
  }
}
