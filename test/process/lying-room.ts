import type { Policy } from '../../signaling/protocol/settings.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { HeadlessRoom } from './headless-room.ts';
import type { LieName } from './lies.ts';

export interface Ended {
  readonly view: SessionView;
  /** All sentences of the session, in their order. */
  readonly said: readonly string[];
  /** Of the adapter and the head, as they were exported. */
  readonly parameters: Float32Array;
}

export interface LyingRoom {
  readonly policy: Policy;
  readonly rounds: number;
  readonly honest: readonly string[];
  readonly liars?: readonly { readonly name: string; readonly lie: LieName; readonly from?: number }[];
  readonly audits?: number;
  readonly training?: Parameters<typeof HeadlessRoom.open>[2];
}

/** A whole training of a host and devices, some of which lie. */
export async function trainWithLiars(origin: string, asked: LyingRoom): Promise<Ended> {
  const { policy, rounds, honest, liars = [], audits, training } = asked;
  const said: string[] = [];
  const room = await HeadlessRoom.open(
    origin,
    policy,
    { rounds, samplesPerRound: 12, dropout: 0.1, ...training },
    { ...(audits !== undefined && { audits }) },
  );
  let last = 0;
  room.session.subscribe(({ notices }) => {
    for (const { id, sentence } of notices.filter((one) => one.id > last)) {
      last = id;
      said.push(sentence);
    }
  });
  try {
    const join = [
      ...honest.map((name) => () => room.addDevice(name)),
      ...liars.map(
        ({ name, lie, from }) =>
          () =>
            room.addLiar(name, lie, from),
      ),
    ];
    // In a split room who comes first has a place, and the others are there to check and to take over.
    if (policy === 'split')
      for (const [i, one] of [...join.slice(honest.length), ...join.slice(0, honest.length)].entries()) {
        await one();
        await room.measured(i + 2);
      }
    else for (const one of join) await one();
    await room.ready(1 + honest.length + liars.length);
    room.session.start();
    const view = await room.finished();
    const files = await room.session.exportAdapter('last');
    const bytes = files.find(({ name }) => name.endsWith('.safetensors'))?.bytes;
    if (bytes === undefined) throw new Error('The adapter has no tensors.');
    const header = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const parameters = new Float32Array(bytes.slice(8 + header).buffer);
    return { view, said, parameters };
  } finally {
    await room.close();
  }
}

/** The norm of the difference over the norm. */
export function apart(a: Float32Array, b: Float32Array): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(difference / size);
}
