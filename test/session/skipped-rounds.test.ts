import { describe, expect, it } from 'vitest';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import { localLinkPair } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { dueOf } from '../../web/session/rounds/round.ts';
import { Training, type TrainingContext } from '../../web/session/training/training.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const SAMPLES = 2;
const PLAN: RoomPlan = {
  version: 1,
  policy: 'crunch',
  solver: '',
  solveMs: 0,
  latencySeconds: 1,
  lowerBoundSeconds: 1,
  limitedBy: 'abcdefgh',
  explanation: '',
  assignments: [
    {
      device: 'abcdefgh',
      layers: [5],
      head: true,
      samples: { start: 0, count: SAMPLES },
      microBatch: SAMPLES,
      memoryBytes: 0,
      share: 1,
      uploadBits: 0,
      computeSeconds: 1,
      uploadSeconds: 0,
    },
  ],
};

/** The host's rounds with one device, whose gradient is not finite in the rounds that `isBroken` names; worker and links as they are told. */
async function train(rounds: number, isBroken: (round: number) => boolean, scoreFails = false) {
  const settings = { ...SETTINGS, training: { ...SETTINGS.training, rounds } };
  const deviceLinks = new DeviceLinks();
  const store = new ViewStore('host', 'abcdefgh');
  const [hostEnd, link] = localLinkPair();
  const computed: number[] = [];
  link.onMessage(({ header }) => {
    if (header.type === 'evaluate')
      void link.send({ header: { type: 'logits', tag: header.tag }, tensors: [new Float32Array(2 * header.samples)] });
    if (header.type !== 'order') return;
    const { tag } = header;
    computed.push(tag.round);
    for (const due of dueOf(header))
      void link.send(
        due === 'done'
          ? { header: { type: 'done', tag, lossSum: 1, computeSeconds: 1 }, tensors: [] }
          : {
              header: { type: 'gradient', tag, block: due },
              tensors: [Float32Array.of(isBroken(tag.round) ? Number.NaN : 1)],
            },
      );
  });
  const room: RoomView = {
    id: 'abc234',
    settings,
    phase: 'training',
    host: 'abcdefgh',
    devices: [
      {
        id: 'abcdefgh',
        name: 'laptop',
        kind: 'tab',
        status: { kind: 'ready' },
        hidden: false,
        linked: true,
        online: true,
        peerId: null,
        profile: profile(),
      },
    ],
    plan: PLAN,
    planNote: null,
  };
  store.dispatch({ type: 'message', message: { type: 'room', room } });
  deviceLinks.attach('abcdefgh', hostEnd);
  const did: string[] = [];
  const batch = (count: number) => ({
    ids: new Int32Array(4 * count),
    lengths: new Int32Array(count).fill(4),
    labels: new Float32Array(count),
    positions: new Int32Array(count),
    tokens: 4,
  });
  const worker: TrainingContext['worker'] = {
    parameters: async () => ({ version: did.length, values: new Float32Array(1), digest: 1 }),
    state: async () => ({
      ...{ version: did.length, steps: did.length, digest: 1 },
      ...{ values: new Float32Array(1), firstMoment: new Float32Array(1), secondMoment: new Float32Array(1) },
    }),
    roundBatch: async () => batch(SAMPLES),
    parametersBefore: async () => new Float32Array(1),
    devLengths: async () => new Int32Array(8).fill(4),
    devChunk: async (_part, _start, count) => batch(count),
    step: async ({ round, parts }) => {
      if (parts.some(({ gradient }) => !gradient.every(Number.isFinite))) return { kind: 'not-finite', faults: [] };
      did.push(`step ${round}`);
      const update = { gradient: new Float32Array(1), learningRate: 1e-3, digest: 1 };
      return { kind: 'stepped', learningRate: 1e-3, gradientNorm: 1, loss: 0.5, update };
    },
    skip: async (round) => void did.push(`skip ${round}`),
    undo: async (round) => round,
    score: async ({ version }) => {
      if (scoreFails && version > 0) throw new Error('The model answers with values that are not finite.');
      did.push('score');
      return {
        ...{ metric: 'accuracy', value: 0.5, constant: 0.5, loss: 0.7, further: [] },
        ...{ examples: 8, error: 0.1, chosenBy: 0.5 },
      };
    },
  };
  const phase = await new Promise<string>((resolve) => {
    const training = new Training({
      term: 1,
      audits: { share: 0, key: new Uint8Array(32), onLiar: () => undefined },
      settings,
      extent: () => settings.training,
      resumed: null,
      secondDev: null,
      patience: 0,
      worker,
      mayLead: () => true,
      tellHeirs: () => undefined,
      deviceLinks,
      room: () => room,
      store,
      send: () => undefined,
      onRound: () => undefined,
      onPhase: (now) => now !== 'training' && resolve(now),
    });
    training.start();
  });
  return { phase, did, computed, said: store.view.notices.map(({ sentence }) => sentence), view: store.view };
}

const rounds = (did: readonly string[]) => did.filter((one) => one !== 'score');
const scores = (did: readonly string[]) => did.length - rounds(did).length;

describe('a round whose gradient is not finite', () => {
  it('is computed twice, skipped and said, and training goes on', async () => {
    const { phase, did, computed, said, view } = await train(4, (round) => round === 2);
    expect(rounds(did)).toEqual(['step 1', 'skip 2', 'step 3', 'step 4']);
    expect(scores(did)).toBe(2);
    expect(computed).toEqual([1, 2, 2, 3, 4]);
    expect(phase).toBe('finished');
    expect(said.at(-1)).toBe(
      'Round 2 was skipped: its gradient is not finite, also when computed again. Nothing was changed, and the learning rate stays where it was.',
    );
    expect(view.rounds.map(({ round }) => round)).toEqual([1, 3, 4]);
  });

  it('three times in a row ends training with what there is, and says what to change', async () => {
    const { phase, did, said } = await train(20, (round) => round === 2 || round >= 4);
    expect(rounds(did)).toEqual(['step 1', 'skip 2', 'step 3', 'skip 4', 'skip 5', 'skip 6']);
    expect([scores(did), did.at(-1)]).toEqual([2, 'score']);
    expect(phase).toBe('finished');
    expect(said.at(-1)).toMatch(
      /^Training ends: the gradients of rounds 4 to 6 were not finite.*lower learning rate, a longer warm-up or gradients clipped to norm 1/,
    );
  });

  it('ends training also where the last score cannot be taken', async () => {
    const { phase, said } = await train(20, () => true, true);
    expect(phase).toBe('finished');
    expect(said.at(-1)).toBe('The last round could not be scored: The model answers with values that are not finite.');
  });
});
