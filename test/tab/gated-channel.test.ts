import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LinkChannel } from '../../web/session/links/channel-link.ts';
import { GatedChannel } from '../../web/tab/show/gated-channel.ts';
import { Way } from '../../web/tab/show/way.ts';

/** What lies below: takes everything at once, and says so. */
class Below implements LinkChannel {
  binaryType: BinaryType = 'arraybuffer';
  readyState: RTCDataChannelState = 'open';
  bufferedAmountLowThreshold = 0;
  bufferedAmount = 0;
  readonly sent: number[] = [];
  readonly listeners = new Map<string, ((event: never) => void)[]>();
  closed = false;
  send = (bytes: Uint8Array<ArrayBuffer>) => void this.sent.push(bytes.length);
  close = () => {
    this.closed = true;
  };
  addEventListener(type: string, listener: (event: never) => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }
  removeEventListener = () => undefined;
  tell(type: string, event: unknown = null): void {
    for (const listener of this.listeners.get(type) ?? []) listener(event as never);
  }
}

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const bytes = (length: number) => new Uint8Array(length);
const total = (sent: readonly number[]) => sent.reduce((a, b) => a + b, 0);

describe('a data channel over a slow way', () => {
  it('carries what the way carries, whatever is sent at once', async () => {
    const [below, way] = [new Below(), new Way()];
    const channel = new GatedChannel(below, way);
    way.bitsPerSecond = 800_000;
    // 100 kB a second: 300 messages of 1 kB are three seconds.
    for (let i = 0; i < 300; i++) channel.send(bytes(1000));
    expect(channel.bufferedAmount).toBeGreaterThan(290_000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(total(below.sent)).toBeGreaterThan(95_000);
    expect(total(below.sent)).toBeLessThan(108_000);
    await vi.advanceTimersByTimeAsync(2200);
    expect([total(below.sent), channel.bufferedAmount]).toEqual([300_000, 0]);
  });

  it('tells when little is left, and is as fast as it can from the moment that the way is', async () => {
    const [below, way] = [new Below(), new Way()];
    const channel = new GatedChannel(below, way);
    channel.bufferedAmountLowThreshold = 10_000;
    let low = 0;
    way.bitsPerSecond = 8000;
    for (let i = 0; i < 50; i++) channel.send(bytes(1000));
    channel.addEventListener('bufferedamountlow', () => low++);
    await vi.advanceTimersByTimeAsync(1000);
    expect(low).toBe(0);
    way.bitsPerSecond = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(1200);
    expect([total(below.sent), low > 0]).toEqual([50_000, true]);
  });
});

describe('a data channel whose way is held', () => {
  it('holds both directions, and loses nothing', () => {
    const [below, way] = [new Below(), new Way()];
    const channel = new GatedChannel(below, way);
    const heard: unknown[] = [];
    channel.addEventListener('message', ({ data }) => heard.push(data));
    way.hold(true);
    channel.send(bytes(5));
    for (const data of [1, 2]) below.tell('message', { data });
    expect([below.sent, heard]).toEqual([[], []]);
    way.hold(false);
    expect([below.sent, heard]).toEqual([[5], [1, 2]]);
  });

  it('does not say that it closes once it was cut off', () => {
    const [below, way] = [new Below(), new Way()];
    const channel = new GatedChannel(below, way);
    way.cut();
    channel.close();
    expect(below.closed).toBe(false);
    const open = new GatedChannel(below, new Way());
    open.close();
    expect(below.closed).toBe(true);
  });
});
