import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Place } from './candidates.ts';

/** What peers send waits here while this process does something else; systems give less where that is too much. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** Of one pair: candidates of each connection that it makes, and what peers send from without having said so. */
const MAX_PORTS = 512;
const LOOPBACK = '127.0.0.1';

export type Side = 0 | 1;

/**
 * The ports between two peers. Each place of one peer has a port that stands for it: the other peer sends there, and hears of it from there.
 * Who sends from a place that was never named gets a port then; ICE calls that a peer-reflexive candidate.
 */
export class PairPorts {
  readonly #ports = new Map<string, { readonly socket: Socket; readonly place: Promise<Place> }>();
  readonly #carry: (from: Side, bytes: number, deliver: () => void) => void;
  #closed = false;

  constructor(carry: (from: Side, bytes: number, deliver: () => void) => void) {
    this.#carry = carry;
  }

  /** Where the other peer reaches what is at `real` of peer `of`. */
  standIn(of: Side, real: Place): Promise<Place> {
    return this.#port(of, real).place;
  }

  /** All places so far lead nowhere any more, as those of a peer that has another network; what is named from now on does. */
  leave(): void {
    for (const { socket } of this.#ports.values()) socket.removeAllListeners('message');
  }

  close(): void {
    this.#closed = true;
    for (const { socket } of this.#ports.values()) socket.close();
    this.#ports.clear();
  }

  #port(of: Side, real: Place): { readonly socket: Socket; readonly place: Promise<Place> } {
    const key = `${of} ${real.address}:${real.port}`;
    const before = this.#ports.get(key);
    if (before !== undefined) return before;
    if (this.#ports.size >= MAX_PORTS) throw new Error(`Two peers are at more than ${MAX_PORTS} places.`);
    const socket = createSocket({
      type: 'udp4',
      // Addresses are never names; asked at once, a datagram goes out at once.
      lookup: (address, _options, found) => found(null, address, 4),
    });
    // A peer that is gone: its port refuses.
    socket.on('error', () => undefined);
    socket.on('message', (datagram, source) => this.#heard(of, real, datagram, source));
    const place = once(socket, 'listening').then(() => {
      socket.setRecvBufferSize(BUFFER_BYTES);
      socket.setSendBufferSize(BUFFER_BYTES);
      return { address: LOOPBACK, port: socket.address().port };
    });
    socket.bind(0, LOOPBACK);
    const port = { socket, place };
    this.#ports.set(key, port);
    return port;
  }

  #heard(of: Side, real: Place, datagram: Buffer, source: Place): void {
    const from: Side = of === 0 ? 1 : 0;
    const back = this.#port(from, { address: source.address, port: source.port }).socket;
    this.#carry(from, datagram.length, () => {
      if (!this.#closed) back.send(datagram, real.port, real.address);
    });
  }
}
