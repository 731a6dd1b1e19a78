/** A connection to the server that carries texts: a WebSocket, or what stands in for one. */
export interface ControlSocket {
  /** As a WebSocket's: 0 while it is being opened, 1 while it is open. */
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSED = 3;

type SocketListener = (event: { readonly data: unknown }) => void;

/** What those that stand in have in common: whom they tell, and that each thing is told once. */
export abstract class StandIn implements ControlSocket {
  readyState: number = CONNECTING;
  readonly #listeners: { readonly type: string; readonly listener: SocketListener }[] = [];

  abstract send(text: string): void;
  abstract close(): void;

  addEventListener(type: string, listener: SocketListener): void {
    this.#listeners.push({ type, listener });
  }

  opened(): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.#tell('open');
  }

  heard(data: unknown): void {
    if (this.readyState === OPEN) this.#tell('message', data);
  }

  /** Closed from outside, or refused. */
  lost(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#tell('close');
  }

  #tell(type: string, data: unknown = null): void {
    for (const entry of this.#listeners) if (entry.type === type) entry.listener({ data });
  }
}
