import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import type { HeldVersion } from '../../web/session/held/keeping-up.ts';
import { StandBy } from '../../web/session/held/stand-by.ts';

const heritage = (best: DataMessage<'heritage'>['header']['best'] = null): DataMessage<'heritage'> => ({
  header: {
    ...{ type: 'heritage', term: 3, dataFingerprint: 9, patience: 0, door: 'link', cap: 8, removed: [], admitted: [] },
    ...{ task: { id: 'grammar', endpoint: '' }, best, audits: 0.08, begun: false, table: null, given: [] },
  },
  tensors: [best === null ? new Float32Array() : Float32Array.of(1), new Float32Array()],
});

function scene(knowsSecret = true) {
  const sent: ClientMessage[] = [];
  const offers: string[] = [];
  const now: { held: HeldVersion | null; linked: boolean } = { held: { version: 7, digest: 1 }, linked: false };
  const standBy = new StandBy({
    send: (message) => sent.push(message),
    held: () => now.held,
    isLinked: () => now.linked,
    knowsSecret,
    onTable: () => undefined,
    onOffer: (term, { heritage, best }) => offers.push(`${term} ${heritage.task.id} ${best?.length ?? 'none'}`),
  });
  return { standBy, sent, offers, now };
}

describe('a device that stands by', () => {
  it('says what it holds when the host is gone, and takes an offer that it can keep', () => {
    const { standBy, sent, offers } = scene();
    standBy.take(heritage(), () => undefined);
    standBy.hear({ type: 'hostless' });
    standBy.hear({ type: 'offer', term: 4 });
    standBy.take(heritage({ round: 5, value: 0.5 }), () => undefined);
    standBy.hear({ type: 'offer', term: 5 });
    expect(sent).toEqual([{ type: 'holding', term: 3, round: 7, able: true, linked: false }]);
    expect(offers).toEqual(['4 grammar none', '5 grammar 1']);
  });

  it.each<[string, ReturnType<typeof scene>, boolean]>([
    ['without the secret', scene(false), true],
    ['that the host left nothing to', scene(), false],
    ['that holds no state', Object.assign(scene(), {}), true],
  ])('%s is not able, and declines', (what, { standBy, sent, offers, now }, left) => {
    if (left) standBy.take(heritage(), () => undefined);
    if (what.includes('no state')) now.held = null;
    now.linked = true;
    standBy.hear({ type: 'hostless' });
    standBy.hear({ type: 'offer', term: 4 });
    expect(sent).toMatchObject([
      { type: 'holding', able: false, linked: true },
      { type: 'decline', term: 4 },
    ]);
    expect(offers).toEqual([]);
  });
});
