import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { LogEntry } from './run-log.ts';

/** Of more devices than a room holds at a time, the ones that were seen last. */
export const MAX_NAMES = 1024;

type Devices = Pick<RoomView, 'devices'>;

/** What the devices of a room are called, those that left since included: who becomes host logs rounds that they took part in. */
export class NamesSeen {
  readonly #names = new Map<string, string>();
  #seen: Devices['devices'] | null = null;

  note(room: Devices | null): void {
    if (room === null || room.devices === this.#seen) return;
    this.#seen = room.devices;
    for (const { id, name } of room.devices) {
      this.#names.delete(id);
      this.#names.set(id, name);
    }
    for (const id of this.#names.keys()) {
      if (this.#names.size <= MAX_NAMES) break;
      this.#names.delete(id);
    }
  }

  /** Lines of a run's log on those that are there no more. */
  left(room: Devices): readonly LogEntry[] {
    const here = new Set(room.devices.map(({ id }) => id));
    return [...this.#names]
      .filter(([id]) => !here.has(id))
      .flatMap(([device, name]): LogEntry[] => [
        { type: 'joined', device, name },
        { type: 'left', device, name },
      ]);
  }
}
