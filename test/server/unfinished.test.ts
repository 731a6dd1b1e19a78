import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../signaling/server/server.ts';
import {
  MAX_UNFINISHED_BYTES,
  UNFINISHED_MS,
  UnfinishedMessages,
} from '../../signaling/server/transport/unfinished.ts';
import { Client, hostRoom } from './client.ts';

/** Somebody who sends; what they sent and whether they were ended is the test's to say. */
function speaker(address: string, bytes = 0) {
  const state = { bytes, ended: false };
  return {
    state,
    address,
    bytesRead: () => state.bytes,
    terminate: () => {
      state.ended = true;
    },
  };
}

describe('messages that are begun and not ended', () => {
  it('end their connection after a time; whole ones may be as many as they like', () => {
    const messages = new UnfinishedMessages();
    const [slow, quick, silent] = [speaker('a', 500), speaker('a'), speaker('a')];
    for (const one of [slow, quick, silent]) messages.add(one);
    for (let nowMs = 0; nowMs <= UNFINISHED_MS; nowMs += 1000) {
      slow.state.bytes += 1;
      quick.state.bytes += 100_000;
      messages.finished(quick);
      messages.sweep(nowMs);
      expect(slow.state.ended, `${nowMs}`).toBe(nowMs >= UNFINISHED_MS);
    }
    expect([quick.state.ended, silent.state.ended]).toEqual([false, false]);
    // Counted anew from the end of each message.
    quick.state.bytes += 1;
    messages.sweep(20_000);
    messages.finished(quick);
    quick.state.bytes += 1;
    messages.sweep(25_000);
    messages.sweep(25_000 + UNFINISHED_MS - 1);
    expect(quick.state.ended).toBe(false);
    messages.sweep(25_000 + UNFINISHED_MS);
    expect(quick.state.ended).toBe(true);
  });

  it('may hold so much for an address together; those that hold most go first, and other addresses stay', () => {
    const messages = new UnfinishedMessages();
    const share = MAX_UNFINISHED_BYTES / 4;
    const held = [share, share + 2, share + 1, share, 1].map((bytes) => {
      const one = speaker('a');
      messages.add(one);
      one.state.bytes = bytes;
      return one;
    });
    const other = speaker('b');
    messages.add(other);
    other.state.bytes = MAX_UNFINISHED_BYTES;
    messages.sweep(0);
    expect(held.map(({ state }) => state.ended)).toEqual([false, true, false, false, false]);
    expect(other.state.ended).toBe(false);
    const gone = speaker('a');
    messages.add(gone);
    gone.state.bytes = 2 * MAX_UNFINISHED_BYTES;
    messages.remove(gone);
    messages.sweep(1);
    expect(gone.state.ended).toBe(false);
  });
});

/** A client frame's beginning (RFC 6455): a text of `length` bytes, of which `sent` come; the mask is zero. */
function beginning(length: number, sent: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(sent, 0x20)]);
}

function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        `GET /room HTTP/1.1\r\nHost: localhost:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
    );
    socket.on('error', () => undefined);
    socket.once('data', () => resolve(socket));
    socket.once('close', () => reject(new Error('no connection')));
  });
}

describe('a real server', () => {
  it('does not hold what many sockets begin, nor wait for those that do not close; others are served meanwhile', async () => {
    const server = await startServer({
      port: 0,
      host: '127.0.0.1',
      pageFolder: null,
      modelsFolder: fileURLToPath(new URL('../../models', import.meta.url)),
      hubFolder: null,
      iceServers: [],
      log: () => undefined,
    });
    try {
      const sockets = await Promise.all(Array.from({ length: 60 }, () => rawSocket(server.port)));
      let ended = 0;
      const enough = new Promise<void>((resolve) => {
        for (const socket of sockets)
          socket.once('close', () => {
            ended += 1;
            if (ended === 12) resolve();
          });
      });
      // 60 times 699,014 bytes are 41.9 MB; 48 of them fit into 32 MiB.
      for (const socket of sockets) socket.write(beginning(700_000, 699_000));
      await enough;
      const { host } = await hostRoom(server.port);
      expect(host.room?.devices).toHaveLength(1);
      expect(ended).toBe(12);
      for (const socket of sockets) socket.destroy();

      // Refused, told goodbye, and deaf to it: the socket is gone long before WebSocket's own 30 seconds.
      const deaf = await rawSocket(server.port);
      const closed = new Promise<void>((resolve) => deaf.once('close', () => resolve()));
      const message = beginning(2, 2);
      for (let i = 0; i < 250; i++) deaf.write(message);
      await closed;
      host.socket.terminate();
    } finally {
      await server.close();
    }
  });

  it('hears nothing more from whom it has told goodbye', async () => {
    const server = await startServer({
      port: 0,
      host: '127.0.0.1',
      pageFolder: null,
      modelsFolder: fileURLToPath(new URL('../../models', import.meta.url)),
      hubFolder: null,
      iceServers: [],
      log: () => undefined,
    });
    try {
      const client = await new Client(server.port).open();
      for (let i = 0; i < 400; i++) client.socket.send('{"type":"ping"}');
      await client.closed;
      expect(client.received.at(-1)).toMatchObject({ type: 'error', sentence: expect.stringContaining('too many') });
    } finally {
      await server.close();
    }
  });
});
