import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_FRAME_HEAD_BYTES } from '../../signaling/protocol/exchange/frames.ts';
import { TABLE_PIECE_BYTES } from '../../signaling/protocol/exchange/table-messages.ts';
import { MAX_CHUNK_SAMPLES, MAX_PROBE_VALUES } from '../../signaling/protocol/limits.ts';
import { closing, earlyMessages, keepOneChannel } from '../../web/session/links/peer-connection.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { Allowance } from '../../web/session/world/allowance.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeChannel } from './fake-channel.ts';
import { FakeConnection } from './fake-peer.ts';

/** What a link holds and takes, counted by hand. */
describe('messages of a session', () => {
  // Query and value, A (8,128) and B (128,8) each, in 6 layers; the head is (128 + 2) * 129.
  const layer = 4 * 8 * 128;
  const head = 130 * 129;

  it('have blocks of the session’s own lengths', () => {
    const { parameterCount, vocabSize, labelsPerSample, blockLength } = tensorSizes(SETTINGS);
    expect([parameterCount, vocabSize, labelsPerSample]).toEqual([6 * layer + head, 8192, 1]);
    expect(['head' as const, 0, 5].map(blockLength)).toEqual([head, layer, layer]);
    expect([6, -1].map(blockLength)).toEqual([undefined, undefined]);
    const some = tensorSizes({ ...SETTINGS, lora: { ...SETTINGS.lora, layers: [1, 5], rankPattern: { 5: 3 } } });
    expect([0, 1, 5].map(some.blockLength)).toEqual([undefined, layer, (3 * layer) / 8]);
    expect(some.parameterCount).toBe(layer + (3 * layer) / 8 + head);
  });

  it('to a device are at most an order: 64 tokens, length, label and position of each sample, and the parameters; or two adapters', () => {
    const samples = Math.max(16, MAX_CHUNK_SAMPLES);
    const parameters = 6 * layer + head;
    // What a host leaves to a device: the best adapter, and the one that the session began from.
    expect(parameters).toBeGreaterThan(samples * (64 + 3));
    expect(tensorSizes(SETTINGS).toDeviceBytes).toBe(MAX_FRAME_HEAD_BYTES + 4 * 2 * parameters);
    const many = { ...SETTINGS, training: { ...SETTINGS.training, samplesPerRound: 4096 } };
    expect(tensorSizes(many).toDeviceBytes).toBe(MAX_FRAME_HEAD_BYTES + 4 * (4096 * (64 + 3) + parameters));
    // Of several labels every sample has one number each.
    const task = {
      ...SETTINGS.task,
      kind: 'multi-label' as const,
      labelCount: 5,
      classNames: ['a', 'b', 'c', 'd', 'e'],
    };
    expect(tensorSizes({ ...many, task }).toDeviceBytes).toBe(
      MAX_FRAME_HEAD_BYTES + 4 * (4096 * (64 + 2 + 5) + 6 * layer + 133 * 129),
    );
    // A table of one's own may be given away in pieces.
    const narrow = { ...SETTINGS, shape: { ...SETTINGS.shape, hiddenSize: 8 } };
    const own = { ...narrow, task: { ...narrow.task, id: 'own' } };
    expect(tensorSizes(own).toDeviceBytes).toBe(MAX_FRAME_HEAD_BYTES + TABLE_PIECE_BYTES);
    expect(tensorSizes(narrow).toDeviceBytes).toBeLessThan(MAX_FRAME_HEAD_BYTES + TABLE_PIECE_BYTES);
  });

  it('to the host are at most the largest of a probe, the gradients of all blocks that answer an audit, and the answers of a chunk', () => {
    expect(tensorSizes(SETTINGS).toHostBytes).toBe(
      MAX_FRAME_HEAD_BYTES + 4 * Math.max(MAX_PROBE_VALUES, 6 * layer + head, 2 * MAX_CHUNK_SAMPLES),
    );
    // A head of that width is larger than any probe; layers grow with the width alone.
    const wide = { ...SETTINGS, shape: { ...SETTINGS.shape, hiddenSize: 8192 } };
    const wideLayer = (layer * 8192) / SETTINGS.shape.hiddenSize;
    expect(8194 * 8193).toBeGreaterThan(MAX_PROBE_VALUES);
    expect(tensorSizes(wide).toHostBytes).toBe(MAX_FRAME_HEAD_BYTES + 4 * (6 * wideLayer + 8194 * 8193));
  });
});

describe('what somebody may still send', () => {
  it('is a burst at once, and so many more a second, never above the burst', () => {
    const allowance = new Allowance({ burst: 3, perSecond: 2 }, 1000);
    const spend = (nowMs: number, times: number) => Array.from({ length: times }, () => allowance.spend(nowMs));
    expect(spend(1000, 4)).toEqual([true, true, true, false]);
    expect(spend(1499, 1)).toEqual([false]);
    expect(spend(1500, 2)).toEqual([true, false]);
    expect(spend(61_500, 4)).toEqual([true, true, true, false]);
    // A clock that was set back gives nothing.
    expect(spend(1000, 1)).toEqual([false]);
    expect(spend(1500, 2)).toEqual([true, false]);
  });
});

describe('what comes before a link listens', () => {
  it('is kept where it is short and bytes, four of it, until somebody asks', () => {
    const channel = new FakeChannel(1e9, 1);
    const early = earlyMessages(channel);
    const bytes = (length: number) => new ArrayBuffer(length);
    for (const data of ['text', bytes(4097), bytes(4096), bytes(1), bytes(2), bytes(3), bytes(4)])
      channel.fire('message', data);
    expect(early().map((data) => data instanceof ArrayBuffer && data.byteLength)).toEqual([4096, 1, 2, 3]);
    channel.fire('message', bytes(5));
    expect(early()).toEqual([]);
  });
});

describe('a connection out of PeerJS’s hands', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** What is said of each channel that the other side opens, and how many of them were closed. */
  function kept(connection: FakeConnection) {
    const said: string[] = [];
    let closed = 0;
    keepOneChannel(connection, (why) => said.push(why));
    const opens = () => connection.fire('datachannel', { close: () => void closed++ });
    return { said, opens, closed: () => closed };
  }

  it('has one channel of PeerJS’s own, which the other side opens where that side connects', () => {
    const connection = new FakeConnection('other');
    const { said, opens, closed } = kept(connection);
    opens();
    expect([said, closed()]).toEqual([[], 1]);
    opens();
    expect(said).toEqual(['The other side opened a channel that nobody asked for.']);
    opens();
    expect([said.length, closed()]).toEqual([2, 3]);
    connection.fire('track');
    expect(said.at(-1)).toMatch(/pictures or sound/);
    expect([connection.peerConnection.ondatachannel, connection.peerConnection.ontrack]).toEqual([null, null]);
  });

  it('takes none from the other side where this one connects, and closes its own', () => {
    const own = { onclose: 'listens', onmessage: 'listens', closed: 0, close: () => void own.closed++ };
    const { said, opens, closed } = kept(Object.assign(new FakeConnection('other'), { dataChannel: own }));
    expect(own).toMatchObject({ onclose: null, onmessage: null, closed: 1 });
    opens();
    expect([said.length, closed()]).toEqual([1, 1]);
  });

  it('goes a second after its channel was closed here, or with it', () => {
    const connection = new FakeConnection('other');
    // A channel whose other side does not answer.
    const close = vi.spyOn(connection.channel, 'close').mockImplementation(() => undefined);
    const end = closing(connection.channel, connection);
    end();
    end();
    vi.advanceTimersByTime(999);
    expect([close.mock.calls.length, connection.closed]).toEqual([2, 0]);
    vi.advanceTimersByTime(1);
    expect(connection.closed).toBe(1);
    vi.advanceTimersByTime(5000);
    expect(connection.closed).toBe(1);
    const answered = new FakeConnection('other');
    closing(answered.channel, answered)();
    vi.advanceTimersByTime(5000);
    expect([answered.closed, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
