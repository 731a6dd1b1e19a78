import { addConnection, removeConnection } from './addresses.ts';
import { fullAllowance } from './bounds/allowance.ts';
import { type Connection, type ConnectionId, remindAt, type Turn } from './core.ts';

/** A connection that is new to the core. */
export function open(
  turn: Turn,
  id: ConnectionId,
  address: string,
  { kind, lookMs }: { readonly kind: Connection['kind']; readonly lookMs: number },
): Connection {
  const { core, nowMs } = turn;
  const rate = core.limits[kind === 'room' ? 'messagesOfConnection' : 'introductionsOfConnection'];
  const allowance = fullAllowance(rate, nowMs);
  const connection: Connection = {
    id,
    kind,
    address,
    allowance,
    heardMs: nowMs,
    unanswered: 0,
    place: null,
    waitsFor: null,
  };
  core.connections.set(id, connection);
  addConnection(turn, address);
  remindAt(turn, nowMs + lookMs, { type: 'connection', connection: id });
  return connection;
}

/** Closes a connection. What it says from now on is not heard, and that it closed is no news. */
export function close(turn: Turn, id: ConnectionId): void {
  turn.effects.push({ type: 'close', connection: id });
  drop(turn, id);
}

/** The connection is no more. */
export function drop(turn: Turn, id: ConnectionId): Connection | undefined {
  const { core } = turn;
  const connection = core.connections.get(id);
  if (connection !== undefined) {
    core.connections.delete(id);
    removeConnection(turn, connection.address);
  }
  return connection;
}
