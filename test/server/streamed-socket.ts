import { EventEmitter } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** What tests use of a WebSocket. */
export interface ClientSocket {
  readonly readyState: number;
  send(text: string | Buffer): void;
  close(): void;
  terminate(): void;
  /** Reads nothing any more. */
  pause(): void;
  on(event: 'message', listener: (data: { toString(): string }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'open', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: (code: number) => void): unknown;
}

/** A connection over an event stream of its own, in plain HTTP and by other code than the page's. */
export class StreamedSocket extends EventEmitter implements ClientSocket {
  readyState = 0;
  readonly #port: number;
  readonly #headers: Record<string, string>;
  readonly #unsent: string[];
  #answer: IncomingMessage | null = null;
  #token = '';
  #requests = 0;
  #sending = false;

  constructor(port: number, headers: Record<string, string> = {}, introduction = '') {
    super();
    this.#port = port;
    this.#headers = headers;
    this.#unsent = [`0+${introduction}`];
    const opening = request({ port, path: '/stream', method: 'POST', headers }, (answer) => {
      this.#answer = answer;
      if (answer.statusCode !== 200)
        return this.#over(1006, new Error(`Unexpected server response: ${answer.statusCode}`));
      let rest = '';
      answer.setEncoding('utf8').on('data', (data: string) => {
        const events = (rest + data).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) this.#hear(event.replace(/^data: /, ''));
      });
      answer.on('end', () => this.#over(1012));
      answer.on('close', () => this.#over(1006));
      answer.on('error', () => this.#over(1006));
    });
    opening.on('error', (error) => this.#over(1006, error));
    opening.end();
  }

  send(text: string | Buffer): void {
    this.#unsent.push(`0:${text.toString()}`);
    this.#say();
  }

  close(): void {
    this.#unsent.push('0-');
    this.#say(() => this.terminate());
  }

  terminate(): void {
    this.#answer?.destroy();
    this.#over(1006);
  }

  pause(): void {
    this.#answer?.pause();
  }

  #hear(data: string): void {
    if (data.startsWith('=')) {
      this.#token = data.slice(1);
      this.#say();
    } else if (data === '0+') {
      this.readyState = 1;
      this.emit('open');
    } else if (data.startsWith('0:')) this.emit('message', data.slice(2));
    else if (data === '0-') this.terminate();
    else throw new Error(`no item: ${data}`);
  }

  #say(after: () => void = () => undefined): void {
    if (this.#sending || this.#token === '' || this.#unsent.length === 0 || this.readyState === 3) return;
    this.#sending = true;
    const path = `/stream/${this.#token}?at=${this.#requests++}`;
    const saying = request({ port: this.#port, path, method: 'POST', headers: this.#headers }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        this.#sending = false;
        after();
        this.#say();
      });
    });
    saying.on('error', () => undefined);
    saying.end(this.#unsent.splice(0).join('\n'));
  }

  #over(code: number, error: Error | null = null): void {
    if (this.readyState === 3) return;
    const wasOpen = this.readyState === 1;
    this.readyState = 3;
    if (!wasOpen) this.emit('error', error ?? new Error('refused'));
    this.emit('close', code);
  }
}
