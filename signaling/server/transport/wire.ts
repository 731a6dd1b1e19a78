/** How the connection core's home and the transports meet: one wire for each connection, whatever carries it. */

export interface Wire {
  /** Taken and not yet sent. */
  readonly unsentBytes: number;
  /** A text in UTF-8. */
  send(bytes: Buffer): void;
  /** After all that was sent before; hears nothing more, and does not wait long for the other side. */
  close(): void;
  terminate(): void;
}

/** Who a connection is from, and for introductions who it says to be. */
export interface Caller {
  /** As `addressKey` makes it. */
  readonly address: string;
  readonly introduction: { readonly id: string; readonly token: string } | null;
}

/** What the other side does. */
export interface Heard {
  text(text: string): void;
  /** Once, however it ended. */
  closed(): void;
}

export interface Home {
  /** Why an address may not open one more connection now, or null. */
  refuses(address: string): string | null;
  connect(wire: Wire, caller: Caller): Heard;
}
