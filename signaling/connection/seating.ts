import type { Revival } from '../protocol/messages.ts';
import { historyMessages } from '../protocol/telling/history.ts';
import type { DeviceSelf } from '../room/room.ts';
import { fullAllowance } from './bounds/allowance.ts';
import { RESYNCS, TURN_SECONDS } from './bounds/limits.ts';
import { close } from './connections.ts';
import { type Connection, type OpenRoom, remindAt, say, type Turn } from './core.ts';
import { claimOf, introductionOf, revivalOf, seatClaimOf, withCredentials } from './door/secrets.ts';
import { remindOfHost } from './succeeding.ts';
import { change, tellSeats } from './telling.ts';

/** Proves to a server that forgot this room, or whom of it, that the device had a seat here. */
export function seatClaim({ core }: Turn, { state, entrance }: OpenRoom, device: DeviceSelf): string {
  return seatClaimOf(core.secrets.server, state.id, entrance.passHash, device);
}

/** What a device needs to bring this room back at a server that has forgotten it. */
export function revival({ core }: Turn, { state, entrance, succession }: OpenRoom): Revival {
  const last = { term: succession.seated, host: state.host };
  return { ...last, token: revivalOf(core.secrets.server, state.id, entrance.passHash, state.settings, last) };
}

/** The device sits in the room, on this connection and no other, and is told everything. */
export function seat(turn: Turn, room: OpenRoom, connection: Connection, device: DeviceSelf, watch: boolean): void {
  const { core, nowMs } = turn;
  const { id: code, host, settings, rounds, scores } = room.state;
  const old = room.seats.get(device.id);
  if (old !== undefined && old.connection !== connection.id) close(turn, old.connection);
  room.departures.delete(device.id);
  connection.place = { room: code, device: device.id };
  const introduction = introductionOf(core.secrets.server, code, device);
  core.introductions.set(introduction.id, connection.place);
  const isHost = device.id === host;
  say(turn, [connection.id], {
    type: 'welcome',
    room: code,
    settings,
    introduction: { ...introduction, iceServers: iceFor(turn, device.id) },
    revival: revival(turn, room),
    claim: isHost
      ? claimOf(core.secrets.server, code, device.key, room.succession.seated)
      : seatClaim(turn, room, device),
  });
  if (core.secrets.turn !== null) remindOfIce(turn, connection);
  if (isHost) remindOfHost(turn, connection);
  else for (const message of historyMessages(rounds, scores)) say(turn, [connection.id], message);
  change(turn, room, { type: 'joined', device, watch });
  const { edition } = room.chronicle;
  const resyncs = fullAllowance(RESYNCS, nowMs);
  const seated = { connection: connection.id, edition: null, reported: edition, unseen: [], resyncs };
  room.seats.set(device.id, seated);
  room.addresses.set(device.id, connection.address);
  tellSeats(turn, room, [seated]);
}

const iceFor = ({ core, nowMs }: Turn, device: string) =>
  withCredentials(core.iceServers, core.secrets.turn, device, nowMs);

function remindOfIce(turn: Turn, { id }: Connection): void {
  remindAt(turn, turn.nowMs + (1000 * TURN_SECONDS) / 2, { type: 'ice', connection: id });
}

/** To be called when a connection's `ice` deadline is due. */
export function renewIce(turn: Turn, connection: Connection): void {
  if (connection.place === null) return;
  say(turn, [connection.id], { type: 'ice', iceServers: iceFor(turn, connection.place.device) });
  remindOfIce(turn, connection);
}
