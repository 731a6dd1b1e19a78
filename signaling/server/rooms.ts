import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { historyMessages } from '../protocol/history.ts';
import { idFromBytes, ROOM_ID_ALPHABET, ROOM_ID_LENGTH } from '../protocol/ids.ts';
import { type ClientMessage, parseClientMessage, type ServerMessage } from '../protocol/messages.ts';
import {
  apply,
  createRoom,
  type DeviceSelf,
  next,
  type RoomEvent,
  type RoomState,
  refusal,
  roomView,
} from '../room/room.ts';
import type { RoomPlanner } from './plan-service.ts';

const MAX_ROOMS = 1000;
/** A device whose control connection and link are both gone may come back within this time before others see it leave. */
const OFFLINE_GRACE_MS = 20_000;
/** A room whose host is gone is kept so long for the host's return. */
const HOST_GRACE_MS = 10 * 60_000;
/** Views are sent at most this often; a join causes several changes in a row. */
const BROADCAST_DELAY_MS = 30;
/** A socket may burst, but not keep up more than this. */
const MAX_MESSAGES_PER_SECOND = 100;

interface Room {
  state: RoomState;
  readonly sockets: Map<string, WebSocket>;
  readonly departures: Map<string, NodeJS.Timeout>;
  broadcast: NodeJS.Timeout | null;
  planning: boolean;
}

interface Place {
  readonly room: Room;
  readonly device: string;
}

/** Every room of this server, and the sockets and timers around their pure state. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #planner: RoomPlanner;
  readonly #log: (line: string) => void;

  constructor(planner: RoomPlanner, log: (line: string) => void) {
    this.#planner = planner;
    this.#log = log;
  }

  connect(socket: WebSocket): void {
    let place: Place | null = null;
    let allowance = MAX_MESSAGES_PER_SECOND;
    let refilledMs = Date.now();
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => {
      const nowMs = Date.now();
      const refill = ((nowMs - refilledMs) / 1000) * MAX_MESSAGES_PER_SECOND;
      allowance = Math.min(2 * MAX_MESSAGES_PER_SECOND, allowance + refill) - 1;
      refilledMs = nowMs;
      if (isBinary || allowance < 0) {
        send(socket, { type: 'error', sentence: 'Too many messages, or messages of a wrong kind.', refused: true });
        socket.close();
        return;
      }
      const parsed = parseClientMessage(data.toString());
      if (!parsed.ok) {
        send(socket, { type: 'error', sentence: parsed.sentence.slice(0, 400), refused: place === null });
        return;
      }
      if (place === null) place = this.#enter(socket, parsed.value);
      else if (this.#message(place, socket, parsed.value) === 'left') place = null;
    });
    socket.on('close', () => {
      if (place !== null && place.room.sockets.get(place.device) === socket) this.#offline(place);
    });
  }

  close(): void {
    for (const room of this.#rooms.values()) this.#forget(room);
  }

  #enter(socket: WebSocket, message: ClientMessage): Place | null {
    const refuse = (sentence: string): null => {
      send(socket, { type: 'error', sentence, refused: true });
      return null;
    };
    if (message.type === 'ping') {
      send(socket, { type: 'pong' });
      return null;
    }
    if (message.type === 'create') {
      const known = message.room === undefined ? undefined : this.#rooms.get(message.room);
      if (known !== undefined) {
        if (known.state.host !== message.device.id) return refuse('This session belongs to another host.');
        return this.#seat(known, socket, message.device, false) ?? refuse('This session belongs to another host.');
      }
      if (this.#rooms.size >= MAX_ROOMS)
        return refuse('This server holds as many sessions as it can. Try again later.');
      const id = message.room ?? this.#newId();
      const room: Room = {
        state: createRoom(id, message.device, message.settings),
        sockets: new Map(),
        departures: new Map(),
        broadcast: null,
        planning: false,
      };
      this.#rooms.set(id, room);
      this.#log(`Session ${id} started by ${message.device.name}.`);
      return this.#seat(room, socket, message.device, false);
    }
    if (message.type !== 'join') return refuse('Join a session first.');
    const room = this.#rooms.get(message.room);
    if (room === undefined)
      return refuse(
        `There is no session with the code ${message.room}. Check the code, or ask the host for a new link.`,
      );
    const why = refusal(room.state, message.device);
    if (why !== null) return refuse(why);
    return this.#seat(room, socket, message.device, message.watch);
  }

  #seat(room: Room, socket: WebSocket, device: DeviceSelf, watch: boolean): Place | null {
    if (refusal(room.state, device) !== null) return null;
    const old = room.sockets.get(device.id);
    room.sockets.set(device.id, socket);
    if (old !== undefined && old !== socket) old.close();
    clearTimeout(room.departures.get(device.id));
    room.departures.delete(device.id);
    const { rounds, scores } = room.state;
    for (const message of historyMessages(rounds, scores)) send(socket, message);
    this.#apply(room, { type: 'joined', device, watch });
    return { room, device: device.id };
  }

  #message({ room, device }: Place, socket: WebSocket, message: ClientMessage): 'stays' | 'left' {
    const isHost = device === room.state.host;
    const fromHost = (act: () => void): void => {
      if (isHost) act();
      else send(socket, { type: 'error', sentence: 'Only the host may do this.', refused: false });
    };
    switch (message.type) {
      case 'ping':
        send(socket, { type: 'pong' });
        break;
      case 'create':
      case 'join':
        send(socket, { type: 'error', sentence: 'This connection has joined a session already.', refused: false });
        break;
      case 'leave':
        room.sockets.delete(device);
        if (isHost) this.#end(room, 'The host ended the session.');
        else this.#apply(room, { type: 'left', device });
        return 'left';
      case 'address':
        this.#apply(room, { type: 'address', device, peerId: message.peerId });
        break;
      case 'status':
        this.#apply(room, { type: 'status', device, status: message.status });
        break;
      case 'hidden':
        this.#apply(room, { type: 'hidden', device, hidden: message.hidden });
        break;
      case 'profile':
        this.#apply(room, { type: 'profile', device, profile: message.profile });
        break;
      case 'linked':
        fromHost(() => {
          this.#apply(room, message);
          if (!message.linked && !room.sockets.has(message.device)) this.#expectDeparture(room, message.device);
        });
        break;
      case 'phase':
      case 'policy':
        fromHost(() => this.#apply(room, message));
        break;
      case 'round':
      case 'score':
      case 'history':
        fromHost(() => {
          this.#apply(room, message);
          this.#relay(room, message, device);
        });
        break;
      case 'activity':
        fromHost(() => this.#relay(room, message, device));
        break;
      default:
        message satisfies never;
    }
    return 'stays';
  }

  #offline({ room, device }: Place): void {
    room.sockets.delete(device);
    this.#apply(room, { type: 'online', device, online: false });
    this.#expectDeparture(room, device);
  }

  #expectDeparture(room: Room, device: string): void {
    if (room.departures.has(device)) return;
    const isHost = device === room.state.host;
    const timer = setTimeout(
      () => {
        room.departures.delete(device);
        if (room.sockets.has(device)) return;
        if (isHost) this.#end(room, 'The host did not come back.');
        // A device that lost only the server goes on training over its link; the host says when that is gone too.
        else if (!room.state.devices.some((d) => d.id === device && d.linked))
          this.#apply(room, { type: 'left', device });
      },
      isHost ? HOST_GRACE_MS : OFFLINE_GRACE_MS,
    );
    timer.unref();
    room.departures.set(device, timer);
  }

  #apply(room: Room, event: RoomEvent): void {
    room.state = apply(room.state, event);
    // Reports are relayed on their own; everything else shows in the room's view.
    if (event.type !== 'round' && event.type !== 'score' && event.type !== 'history') this.#broadcastSoon(room);
    void this.#plan(room);
  }

  async #plan(room: Room): Promise<void> {
    if (room.planning) return;
    room.planning = true;
    try {
      for (let todo = next(room.state); todo !== null; todo = next(room.state)) {
        const answer = await this.#planner.plan(todo.problem);
        const before = room.state;
        room.state = apply(before, { type: 'planned', request: todo, answer });
        if (room.state.plan !== before.plan || room.state.planNote !== before.planNote) this.#broadcastSoon(room);
      }
    } finally {
      room.planning = false;
    }
  }

  #broadcastSoon(room: Room): void {
    room.broadcast ??= setTimeout(() => {
      room.broadcast = null;
      const text = JSON.stringify({ type: 'room', room: roomView(room.state) } satisfies ServerMessage);
      for (const socket of room.sockets.values()) socket.send(text);
    }, BROADCAST_DELAY_MS);
  }

  #relay(room: Room, message: ServerMessage, except: string): void {
    const text = JSON.stringify(message);
    for (const [device, socket] of room.sockets) if (device !== except) socket.send(text);
  }

  #end(room: Room, sentence: string): void {
    for (const socket of room.sockets.values()) {
      send(socket, { type: 'closed', sentence });
      socket.close();
    }
    this.#forget(room);
    this.#log(`Session ${room.state.id} closed: ${sentence}`);
  }

  #forget(room: Room): void {
    if (room.broadcast !== null) clearTimeout(room.broadcast);
    for (const timer of room.departures.values()) clearTimeout(timer);
    room.sockets.clear();
    this.#rooms.delete(room.state.id);
  }

  #newId(): string {
    for (;;) {
      const id = idFromBytes(randomBytes(ROOM_ID_LENGTH), ROOM_ID_ALPHABET);
      if (!this.#rooms.has(id)) return id;
    }
  }
}

function send(socket: WebSocket, message: ServerMessage): void {
  socket.send(JSON.stringify(message));
}
