import { WebSocket } from 'ws';
import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../../protocol/samples.ts';

/** As `RoomClient` has them. */
const QUIET_MS = 3000;
const BEAT_MS = 1000;
const SEEN_EVERY_MS = 2500;
const MAX_UNSAID = 8;

/** What all devices of a process have met. */
export interface Counts {
  connections: number;
  messages: number;
  bytes: number;
  /** Connections that the server closed or refused, and messages that it left out. */
  lost: number;
  refused: number;
}

export const noCounts = (): Counts => ({ connections: 0, messages: 0, bytes: 0, lost: 0, refused: 0 });

/**
 * A device as the server sees one: it enters, says what it has seen, answers, and may be asked for a round trip. It reads no more of a
 * message than that takes, so that a process of many costs little beside the server.
 */
export class BenchDevice {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #counts: Counts;
  readonly #pings: ((ms: number) => void)[] = [];
  #edition = 0;
  #unsaid = 0;
  #seenMs = -SEEN_EVERY_MS;
  #heardMs = -QUIET_MS;
  #saidMs = -QUIET_MS;
  #timer: NodeJS.Timeout | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #closing = false;
  readonly entered: Promise<string>;

  constructor(port: number, id: string, room: string | null, counts: Counts) {
    this.id = id;
    this.#counts = counts;
    const at = room === null ? '/room' : `/room?room=${room}`;
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${at}`, { perMessageDeflate: false });
    const device = { id, key: id.padEnd(32, 'k'), name: `device ${id.slice(-6)}`, kind: 'headless' as const };
    const version = PROTOCOL_VERSION;
    this.#socket.on('open', () => {
      counts.connections += 1;
      this.#heartbeat = setInterval(() => this.#beat(), BEAT_MS);
      this.send(
        room === null
          ? { type: 'create', version, device, settings: SETTINGS, ...OPEN_DOOR }
          : { type: 'join', version, device, room, watch: false },
      );
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
      if (!this.#closing) counts.lost += 1;
    });
    this.entered = new Promise((resolve) => {
      this.#socket.on('message', (data: Buffer) => {
        this.#heardMs = performance.now();
        counts.messages += 1;
        counts.bytes += data.length;
        const head = data.toString('latin1', 0, 60);
        if (head.startsWith('{"type":"news"')) this.#see(Number(/"edition":(\d+)/.exec(head)?.[1]));
        else if (head.startsWith('{"type":"pong"')) this.#pings.shift()?.(performance.now());
        else if (head.startsWith('{"type":"ping"')) this.send({ type: 'pong' });
        else if (head.startsWith('{"type":"welcome"')) resolve(/"room":"(\w+)"/.exec(head)?.[1] ?? '');
        else if (head.startsWith('{"type":"error"')) {
          counts.refused += 1;
          process.stderr.write(`${id} was told: ${data.toString()}\n`);
        }
      });
    });
  }

  send(message: ClientMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#saidMs = performance.now();
    this.#socket.send(JSON.stringify(message));
  }

  /** Milliseconds from a ping to its pong. */
  async roundTrip(): Promise<number> {
    const startMs = performance.now();
    const endMs = await new Promise<number>((resolve) => {
      this.#pings.push(resolve);
      this.send({ type: 'ping' });
    });
    return endMs - startMs;
  }

  leave(): void {
    this.#closing = true;
    this.#counts.connections -= 1;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.send({ type: 'leave' });
    this.#socket.close();
  }

  #see(edition: number): void {
    this.#edition = edition;
    this.#unsaid += 1;
    const restMs = this.#seenMs + SEEN_EVERY_MS - performance.now();
    if (restMs <= 0 || this.#unsaid >= MAX_UNSAID) this.#sayUpTo();
    else this.#timer ??= setTimeout(() => this.#sayUpTo(), restMs);
  }

  #beat(): void {
    // An answer to it would be taken for that of a round trip.
    if (this.#pings.length > 0) return;
    if (performance.now() - Math.min(this.#saidMs, this.#heardMs) < QUIET_MS) return;
    this.#pings.push(() => undefined);
    this.send({ type: 'ping' });
  }

  #sayUpTo(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#seenMs = performance.now();
    this.#unsaid = 0;
    this.send({ type: 'seen', edition: this.#edition });
  }
}
