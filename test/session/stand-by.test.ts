import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import type { HeldVersion } from '../../web/session/held/keeping-up.ts';
import { StandBy } from '../../web/session/held/stand-by.ts';

const heritage = (best: DataMessage<'heritage'>['header']['best'] = null): DataMessage<'heritage'> => ({
  header: {
    ...{ type: 'heritage', term: 3, dataFingerprint: 9, patience: 0, door: 'link', cap: 8, removed: [], admitted: [] },
    ...{ task: { id: 'grammar', endpoint: '' }, best, audits: 0.08, begun: false, table: null, given: [] },
  },
  tensors: [best === null ? new Float32Array() : Float32Array.of(1), new Float32Array()],
});

const REPORT: RoundReport = {
  ...{ round: 4, planVersion: 1, loss: 0.5, learningRate: 0.1, gradientNorm: 1, elapsedSeconds: 1 },
  ...{ devices: [], reassigned: 0 },
};

function scene(knowsSecret = true) {
  const sent: ClientMessage[] = [];
  const offers: string[] = [];
  const heard: (number | null)[] = [];
  const reports: RoundReport[] = [];
  const now: { held: HeldVersion | null; linked: boolean } = { held: { version: 7, digest: 1 }, linked: false };
  const standBy = new StandBy({
    send: (message) => sent.push(message),
    held: () => now.held,
    isLinked: () => now.linked,
    knowsSecret,
    onTable: () => undefined,
    onOffer: (term, { heritage, best, standings, reports: left }) => {
      reports.splice(0, reports.length, ...left);
      offers.push(`${term} ${heritage.task.id} ${best?.length ?? 'none'}`);
      heard.push(standings?.round ?? null);
    },
  });
  return { standBy, sent, offers, heard, reports, now };
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

  it('knows what the host said last of the devices’ honesty, and nothing that an earlier one said', () => {
    const { standBy, offers, heard, reports } = scene();
    const standings = (term: number, round: number): DataMessage<'standings'> => ({
      header: { type: 'standings', term, round, devices: [] },
      tensors: [],
    });
    const offered = (...said: readonly DataMessage<'standings'>[]) => {
      for (const one of said) standBy.take(one, () => undefined);
      standBy.hear({ type: 'offer', term: 4 });
    };
    standBy.take(heritage(), () => undefined);
    offered();
    offered(standings(3, 5), standings(3, 6));
    offered(standings(2, 9));
    standBy.take({ header: { type: 'report', term: 3, report: REPORT }, tensors: [] }, () => undefined);
    offered();
    expect(heard).toEqual([null, 6, null, null]);
    expect(reports).toEqual([REPORT]);
    expect(offers).toHaveLength(4);
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
