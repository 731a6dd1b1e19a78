import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';

/** The other end of a connection is the test. */
export class FakeSocket extends EventTarget {
  readyState = 1;
  readonly sent: ClientMessage[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
  }

  say(message: ServerMessage | string): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  types(): string[] {
    return this.sent.splice(0).map(({ type }) => type);
  }
}
