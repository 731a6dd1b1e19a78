import { WebSocket } from 'ws';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../../signaling/protocol/messages.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { roomAddress } from '../../web/session/links/room-client.ts';
import { changedRoom, type ToldSettings } from '../../web/session/links/told-room.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { type ClientSocket, StreamedSocket } from './streamed-socket.ts';

/** What the server said, and the room as it is after each piece of news. */
export type Told = ServerMessage | { readonly type: 'room'; readonly room: RoomView };

export const self = (id: string) => ({ id, key: `${id}keykeykeykey0000`, name: id, kind: 'tab' as const });

/** The same files run over WebSockets and, in a project of their own (vitest.config.ts), over event streams. */
const OVER_STREAMS = process.env.TABLOOM_TRANSPORT === 'stream';

/** A control connection whose messages can be awaited. It says what it has seen, and that it is there, as a page does. */
export class Client {
  readonly socket: ClientSocket;
  readonly received: Told[] = [];
  bytes = 0;
  room: RoomView | null = null;
  edition: number | null = null;
  readonly #waiting: ((message: Told) => void)[] = [];
  #welcome: ToldSettings | null = null;
  #attentive = true;

  /** `room`: where it wants to go, which a page says in the address; nowhere yet when it is to make one. */
  constructor(port: number, headers: Record<string, string> = {}, room?: string) {
    this.socket = OVER_STREAMS
      ? new StreamedSocket(port, headers)
      : new WebSocket(roomAddress(`http://127.0.0.1:${port}`, room), { headers });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data) => {
      const text = data.toString();
      this.bytes += text.length;
      const parsed = parseServerMessage(text);
      if (!parsed.ok) throw new Error(parsed.sentence);
      this.#take(parsed.value);
      this.#tell(parsed.value);
    });
  }

  /** Says nothing any more of its own accord, and reads on. */
  ignore(): this {
    this.#attentive = false;
    return this;
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve(undefined));
      this.socket.once('error', reject);
    });
    return this;
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  get closed(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** The first message, already received or still to come, that satisfies. */
  message<T extends Told['type']>(
    type: T,
    satisfies: (message: Extract<Told, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Told, { type: T }>> {
    const fits = (m: Told): m is Extract<Told, { type: T }> =>
      m.type === type && satisfies(m as Extract<Told, { type: T }>);
    const known = this.received.find(fits);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const look = (m: Told): void => {
        if (!fits(m)) return;
        this.#waiting.splice(this.#waiting.indexOf(look), 1);
        resolve(m);
      };
      this.#waiting.push(look);
    });
  }

  #take(message: ServerMessage): void {
    if (message.type === 'ping' && this.#attentive) this.send({ type: 'pong' });
    if (message.type === 'welcome') {
      this.#welcome = message;
      this.room = null;
    }
    if (message.type !== 'news' || this.#welcome === null) return;
    for (const report of message.rounds ?? []) this.#tell({ type: 'round', report });
    for (const report of message.scores ?? []) this.#tell({ type: 'score', report });
    const before = message.since === null ? null : this.room;
    if (message.since !== null && message.since !== this.edition) throw new Error('news that does not follow');
    this.room = changedRoom(this.#welcome, before, message.change);
    if (this.room === null) throw new Error('news that does not fit');
    this.edition = message.edition;
    if (this.#attentive) this.send({ type: 'seen', edition: message.edition });
    this.#tell({ type: 'room', room: this.room });
  }

  #tell(message: Told): void {
    this.received.push(message);
    for (const look of [...this.#waiting]) look(message);
  }
}

export async function hostRoom(
  port: number,
  {
    id = 'hosthost',
    settings = SETTINGS,
    ...door
  }: { readonly id?: string; readonly settings?: SessionSettings } & Partial<DoorOfHost> = {},
): Promise<{ host: Client; room: string }> {
  const host = await new Client(port).open();
  host.send({ type: 'create', version: PROTOCOL_VERSION, device: self(id), settings, ...OPEN_DOOR, ...door });
  const { room } = await host.message('room');
  return { host, room: room.id };
}

/** What a `create` message says of the door. */
type DoorOfHost = Pick<Extract<ClientMessage, { type: 'create' }>, 'passHash' | 'door' | 'cap'>;

export async function enter(
  port: number,
  room: string,
  id: string,
  { watch = false, pass }: { readonly watch?: boolean; readonly pass?: string } = {},
): Promise<Client> {
  const client = await new Client(port, {}, room).open();
  const shown = pass === undefined ? {} : { pass };
  client.send({ type: 'join', version: PROTOCOL_VERSION, device: self(id), room, watch, ...shown });
  return client;
}
