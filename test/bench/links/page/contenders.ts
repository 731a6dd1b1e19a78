import type { DataConnection } from 'peerjs';
import { answerProbes, measureLink } from '../../../../web/session/links/link-probe.ts';
import { openLink } from '../../../../web/session/links/open-link.ts';
import type { OpenConnection } from '../../../../web/session/links/peer-connection.ts';

/** How bulk goes over a connection, and short messages beside it. */
export interface Contender {
  /** Bulk, as fast as the contender takes it, until `over` says so. */
  pump(over: () => boolean): Promise<void>;
  onBulk(listener: (bytes: number) => void): void;
  /** A short message that the other end answers at once. */
  ping(): void;
  onPong(listener: () => void): void;
  /** What the contender itself believes of the path, in bit/s; null where it believes nothing. */
  believed(): Promise<number | null>;
}

export interface BareSetting {
  readonly messageBytes: number;
  readonly highWaterBytes: number;
  /** Short messages go over a channel of their own. */
  readonly apart: boolean;
  /** Side by side, each with a channel; short messages go over the first. */
  readonly connections: number;
}

const BULK_ID = 70;
const SHORT_ID = 72;
const SHORT_BYTES = 8;
const opened = (channel: RTCDataChannel): Promise<void> =>
  new Promise((resolve) => {
    if (channel.readyState === 'open') resolve();
    else channel.addEventListener('open', () => resolve(), { once: true });
  });

/** A bare channel, or two. */
export async function bare(
  pc: RTCPeerConnection,
  { messageBytes, highWaterBytes, apart }: Omit<BareSetting, 'connections'>,
  answers: boolean,
): Promise<Contender> {
  const channel = pc.createDataChannel('bare', { negotiated: true, id: BULK_ID });
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = highWaterBytes / 2;
  const shorts = apart ? pc.createDataChannel('short', { negotiated: true, id: SHORT_ID }) : channel;
  shorts.binaryType = 'arraybuffer';
  await Promise.all([channel, shorts].map(opened));
  const hear = (from: RTCDataChannel, listener: (bytes: number) => void): void =>
    from.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => listener(data.byteLength));
  if (answers) hear(shorts, (bytes) => bytes === SHORT_BYTES && shorts.send(new Uint8Array(SHORT_BYTES)));
  return {
    async pump(over) {
      while (!over()) {
        if (channel.bufferedAmount <= highWaterBytes) channel.send(new Uint8Array(messageBytes));
        else
          await new Promise<void>((resolve) =>
            channel.addEventListener('bufferedamountlow', () => resolve(), { once: true }),
          );
      }
    },
    onBulk: (listener) => hear(channel, (bytes) => bytes > SHORT_BYTES && listener(bytes)),
    ping: () => shorts.send(new Uint8Array(SHORT_BYTES)),
    onPong: (listener) => hear(shorts, (bytes) => bytes === SHORT_BYTES && listener()),
    believed: async () => null,
  };
}

/** Several as one. */
export function together(all: readonly [Contender, ...Contender[]]): Contender {
  const [first] = all;
  return {
    pump: async (over) => void (await Promise.all(all.map((each) => each.pump(over)))),
    onBulk: (listener) => {
      for (const each of all) each.onBulk(listener);
    },
    ping: () => first.ping(),
    onPong: (listener) => first.onPong(listener),
    believed: () => first.believed(),
  };
}

/** 128 KiB, a layer's gradient of roberta-base: what has come is counted by messages. */
const MESSAGE_VALUES = 32 * 1024;
const SIZES = {
  ...{ parameterCount: 1, layers: 1, vocabSize: 10, labelsPerSample: 1, blockLength: () => 1, hiddenSize: 1 },
  ...{ toHostBytes: 2 ** 23, toDeviceBytes: 2 ** 23, uploads: 'f32' as const },
};

/** A link as a session opens it. */
export async function tabloom(connection: OpenConnection, answers: boolean): Promise<Contender> {
  const parties = { room: 'abc234', host: 'hosthost', device: 'device00', keys: {}, expected: false };
  const { link } = await openLink(connection, SIZES, { ...parties, own: answers ? 'host' : 'device' }, (length) =>
    crypto.getRandomValues(new Uint8Array(length)),
  );
  if (answers) answerProbes(link);
  return {
    async pump(over) {
      // Some wait, so that one follows the other.
      const one = async (): Promise<void> => {
        const tensors = [new Float32Array(MESSAGE_VALUES)];
        while (!over()) await link.send({ header: { type: 'probe', probe: 2 }, tensors });
      };
      await Promise.all([one(), one(), one(), one()]);
    },
    onBulk: (listener) =>
      link.onMessage(({ tensors: [values] }) => {
        if (values !== undefined) listener(values.byteLength);
      }),
    ping: () => void link.send({ header: { type: 'probe', probe: 1 }, tensors: [] }),
    onPong: (listener) =>
      link.onMessage(({ header }) => {
        if (header.type === 'probed' && header.probe === 1) listener();
      }),
    believed: () => measureLink(link),
  };
}

const PEERJS_MESSAGE_BYTES = 256 * 1024;
const PEERJS_WAITING = 8;

/** PeerJS's own `send`, which cuts and queues by itself. */
export async function peerjs(connection: DataConnection, answers: boolean): Promise<Contender> {
  await new Promise<void>((resolve) => (connection.open ? resolve() : connection.on('open', () => resolve())));
  const hear = (listener: (bytes: number) => void): void => {
    connection.on('data', (data) => {
      if (data instanceof ArrayBuffer || data instanceof Uint8Array) listener(data.byteLength);
    });
  };
  const short = (): void => void connection.send(new Uint8Array(SHORT_BYTES));
  if (answers) hear((bytes) => bytes === SHORT_BYTES && short());
  return {
    async pump(over) {
      while (!over()) {
        // Messages in its own queue; its types leave it out.
        if (Number(Reflect.get(connection, 'bufferSize')) < PEERJS_WAITING)
          await connection.send(new Uint8Array(PEERJS_MESSAGE_BYTES));
        else await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
    onBulk: (listener) => hear((bytes) => bytes > SHORT_BYTES && listener(bytes)),
    ping: short,
    onPong: (listener) => hear((bytes) => bytes === SHORT_BYTES && listener()),
    believed: async () => null,
  };
}
