import { newSecret, passHashOf, passOf, type Secret } from '../../../signaling/protocol/door/secret.ts';
import { type Door, MAX_REMOVED } from '../../../signaling/protocol/door.ts';
import { MAX_DEVICES_IN_ROOM } from '../../../signaling/protocol/limits.ts';
import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { HostRequest, Preflight } from '../../../worker/api/host-api.ts';
import * as say from '../../words/session/own.ts';
import { roomLink } from '../links/link-address.ts';
import type { EntranceControls, HostOptions } from '../view/view.ts';
import type { ViewStore } from '../view/view-store.ts';
import { within } from '../world/ending.ts';
import { type KeptDoor, MAX_ADMITTED } from './host-key.ts';
import type { Resumed } from './session-note.ts';

/** The session does not wait longer to know how large its model is. */
const MEASURE_MS = 2000;

/** What a `create` message says of the door. */
export type DoorEntry = Pick<
  Extract<ClientMessage, { type: 'create' }>,
  'passHash' | 'door' | 'cap' | 'removed' | 'downloadBytes'
>;

export interface OwnDoorContext {
  readonly origin: string;
  readonly store: ViewStore;
  readonly send: (message: ClientMessage) => void;
  /** A device was removed: its link ends. */
  readonly onRemoved: (device: string) => void;
  /** Digits were compared, and were the same. */
  readonly onCompared: (device: string) => void;
}

/** How a device may be linked: only by proving that it knows the secret, without, or not at all. */
export type Standing = 'must prove' | 'may come' | 'removed';

/**
 * How a session's door is at first: as it was kept, or as its host wants it. A session of 0.1.0 had a code alone, and gets a secret; one
 * that goes on without its key is a new one.
 */
export function firstDoor(
  randomBytes: (length: number) => Uint8Array,
  { task }: Pick<HostRequest, 'task'>,
  options: Pick<HostOptions, 'door' | 'cap'>,
  resumed: Pick<Resumed, 'key'> | null,
): KeptDoor {
  const key = resumed?.key ?? null;
  const kept = key?.door;
  const door = key === null && task.id === 'own' ? 'ask' : 'link';
  return {
    secret: kept?.secret ?? newSecret(randomBytes),
    door: options.door ?? kept?.door ?? door,
    cap: options.cap ?? kept?.cap ?? MAX_DEVICES_IN_ROOM,
    removed: kept?.removed ?? [],
    admitted: kept?.admitted ?? [],
  };
}

/** The host's side of its session's door: what it has set, and whom it lets in. */
export class OwnDoor implements EntranceControls {
  readonly #secret: Secret;
  readonly #context: OwnDoorContext;
  readonly #passHash: string;
  #door: Door;
  #cap: number;
  #removed: readonly string[];
  #downloadBytes: number | null = null;
  /** Whom the host let in by hand, or with the code alone while that was enough; they need not know the secret. */
  #admitted: readonly string[];

  constructor(context: OwnDoorContext, { secret, door, cap, removed, admitted = [] }: KeptDoor) {
    this.#context = context;
    this.#secret = secret;
    this.#passHash = passHashOf(passOf(secret));
    this.#door = door;
    this.#cap = cap;
    this.#removed = removed;
    this.#admitted = admitted;
  }

  get kept(): KeptDoor {
    return {
      secret: this.#secret,
      door: this.#door,
      cap: this.#cap,
      removed: [...this.#removed],
      admitted: [...this.#admitted],
    };
  }

  get secret(): Secret {
    return this.#secret;
  }

  get entry(): DoorEntry {
    const downloadBytes = this.#downloadBytes;
    return {
      passHash: this.#passHash,
      door: this.#door,
      cap: this.#cap,
      removed: [...this.#removed],
      ...(downloadBytes !== null && { downloadBytes }),
    };
  }

  /** What joining will cost a device: told where it is known soon. */
  measure(preflight: Promise<Pick<Preflight, 'totalBytes'>>): Promise<void> {
    const told = preflight.then(
      ({ totalBytes }) => {
        this.#downloadBytes = totalBytes;
      },
      () => undefined,
    );
    return within(MEASURE_MS, told);
  }

  /** The room has this code from now on. */
  invite(room: string): void {
    const { store, origin } = this.#context;
    const secret = this.#secret;
    if (store.view.invitation?.room === room) return;
    store.dispatch({ type: 'invitation', invitation: { room, secret, link: roomLink(origin, room, secret) } });
  }

  set(door: Door, cap: number): void {
    const whole = Math.min(MAX_DEVICES_IN_ROOM, Math.max(2, Math.round(cap)));
    this.#context.send({ type: 'door', door, cap: whole });
    this.#door = door;
    this.#cap = whole;
  }

  /**
   * How a device may be linked, whatever the server says of it: who was neither let in by hand nor came while the code was enough has the
   * link, and can prove it.
   */
  standing(device: string): Standing {
    if (this.#removed.includes(device)) return 'removed';
    if (this.#door === 'open') this.#admitting(device);
    return this.#admitted.includes(device) ? 'may come' : 'must prove';
  }

  #admitting(device: string): void {
    this.#admitted = [...this.#admitted.filter((id) => id !== device), device].slice(-MAX_ADMITTED);
  }

  admit(device: string): void {
    this.#admitting(device);
    this.#context.send({ type: 'admit', device });
  }

  refuse(device: string): void {
    this.#context.send({ type: 'refuse', device });
  }

  confirmDigits(device: string, same: boolean): void {
    if (same) {
      this.#context.onCompared(device);
      return;
    }
    const { store } = this.#context;
    const name = store.view.room?.devices.find(({ id }) => id === device)?.name ?? say.aDeviceTitle;
    store.notice('problem', say.wasRemovedItShowedOther(name));
    this.remove(device);
  }

  remove(device: string): void {
    this.#admitted = this.#admitted.filter((id) => id !== device);
    this.#removed = [...this.#removed.filter((id) => id !== device), device].slice(-MAX_REMOVED);
    this.#context.send({ type: 'remove', device });
    this.#context.onRemoved(device);
  }
}
