import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { MAX_PROBE_VALUES } from '../../signaling/protocol/limits.ts';
import { measureLink } from '../../web/session/links/link-probe.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { Emitter } from '../../web/session/world/emitter.ts';

/** A link on which everything is answered at once. */
function instant(): { link: MessageLink; floats: number[]; listening: () => number } {
  const message = new Emitter<DataMessage>();
  const floats: number[] = [];
  let listening = 0;
  const [{ onClose, close, doubt }] = localLinkPair();
  const link: MessageLink = {
    onClose,
    close,
    doubt,
    onMessage: (listener) => {
      const off = message.on(listener);
      listening++;
      return () => {
        listening--;
        off();
      };
    },
    send: async ({ header, tensors }) => {
      if (header.type !== 'probe') return;
      floats.push(tensors[0]?.length ?? 0);
      const { probe } = header;
      queueMicrotask(() => message.emit({ header: { type: 'probed', probe }, tensors: [] }));
    },
  };
  return { link, floats, listening: () => listening };
}

describe('a link that is quicker than can be measured', () => {
  it('is sent four times as much each time, and no more than a peer takes', async () => {
    const { link, floats } = instant();
    const bitsPerSecond = await measureLink(link);
    expect(floats.slice(0, 4)).toEqual([0, 0, 32 * 1024, 128 * 1024]);
    expect(floats.at(-1)).toBe(MAX_PROBE_VALUES);
    expect(bitsPerSecond).toBeGreaterThan(0);
    expect(bitsPerSecond).toBeLessThan(Infinity);
  });

  it('is not listened to any more when it is measured', async () => {
    const { link, listening } = instant();
    const measured = measureLink(link);
    expect(listening()).toBe(1);
    await measured;
    expect(listening()).toBe(0);
  });
});
