import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

/** What came to the browser, as bytes on the line: heads and bodies as they were sent, compressed or not. */
export interface Counted {
  readonly path: string;
  readonly status: number;
  bytes: number;
}

export interface CountingProxy {
  readonly origin: string;
  /** Answers since the last call, in the order in which they were asked for; WebSockets among them, with all that came over them. */
  take(): readonly Counted[];
  /** The same without beginning anew. */
  seen(): readonly Counted[];
  close(): void;
}

const headBytes = ({ rawHeaders, statusMessage = '' }: IncomingMessage): number =>
  rawHeaders.reduce((sum, text) => sum + text.length + 2, 'HTTP/1.1 200 '.length + statusMessage.length + 4);

/** What a script that is made with Brotli begins with from here on; "" for one that stays as it is. */
export type Preface = (path: string) => string;

/** Stands between a browser and a server on this machine, and counts. */
export async function countingProxy(port: number, preface: Preface = () => ''): Promise<CountingProxy> {
  let answers: Counted[] = [];
  const count = (path: string, status: number): Counted => {
    const counted = { path: path.replace(/\?.*$/, ''), status, bytes: 0 };
    answers.push(counted);
    return counted;
  };
  const proxy = createServer((asked, answer) => {
    const { method, url = '/', headers } = asked;
    const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (given) => {
      const counted = count(url, given.statusCode ?? 502);
      counted.bytes += headBytes(given);
      given.on('data', (chunk: Buffer) => {
        counted.bytes += chunk.length;
      });
      given.on('error', () => answer.destroy());
      const before = preface(counted.path);
      if (before === '' || given.headers['content-encoding'] !== 'br') {
        answer.writeHead(given.statusCode ?? 502, given.headers);
        given.pipe(answer);
        return;
      }
      const chunks: Buffer[] = [];
      given.on('data', (chunk: Buffer) => chunks.push(chunk));
      given.on('end', () => {
        const body = brotliCompressSync(before + brotliDecompressSync(Buffer.concat(chunks)).toString());
        answer.writeHead(given.statusCode ?? 502, { ...given.headers, 'content-length': body.length });
        answer.end(body);
      });
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  proxy.on('upgrade', (asked, socket, head) => {
    const counted = count(asked.url ?? '/', 101);
    const passed = connect(port, '127.0.0.1', () => {
      const lines = asked.rawHeaders.flatMap((text, i) => (i % 2 === 0 ? [`${text}: ${asked.rawHeaders[i + 1]}`] : []));
      passed.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      socket.pipe(passed).pipe(socket);
    });
    passed.on('data', (chunk: Buffer) => {
      counted.bytes += chunk.length;
    });
    for (const [one, other] of [
      [socket, passed],
      [passed, socket],
    ] as const) {
      one.on('error', () => one.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    seen: () => answers,
    take: () => {
      const taken = answers;
      answers = [];
      return taken;
    },
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
