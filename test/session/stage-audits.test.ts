import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { DeviceView } from '../../signaling/protocol/room-view.ts';
import type { MessageLink } from '../../web/session/links/message-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { Audits } from '../../web/session/rounds/audits/audits.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { Relay } from '../../web/session/rounds/split/relay.ts';
import { runSplitRound, type SplitRoundDone } from '../../web/session/rounds/split/run-split-round.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import type { StagePart } from '../../worker/api/stage-api.ts';
import { profile } from '../protocol/samples.ts';
import { stagePlan } from './stage-plan.ts';
import { engine, model, RUNS, recipe, StageDevice, settings } from './stage-scene.ts';

/** Audits of stages from the host's side, with real stages, and real devices that compute them again, behind links in memory. */
const HOST = 'hosthosthost';
const STAGES = ['lowlowlow', 'middlemid', 'highhighhigh'];
const IDS = [...STAGES, HOST];
const plan = stagePlan(STAGES);

const view = (id: string): DeviceView => ({
  ...{ id, name: id, kind: 'headless', hidden: false, linked: true, online: true, peerId: null },
  status: { kind: 'ready' },
  profile: {
    ...profile(),
    parts: {
      fixedSeconds: { embed: 0, forwardPerLayer: 1e-3, backwardPerLayer: 1e-3, head: 0 },
      ...{ embeddingBytes: 1e3, layerBytes: 1e3, headBytes: 1e3 },
    },
  },
});

type Change = (message: DataMessage) => DataMessage;

class Scene {
  readonly deviceLinks = new DeviceLinks();
  readonly devices = new Map<string, StageDevice>();
  readonly said: string[] = [];
  readonly liars: string[] = [];
  readonly audits: Audits;
  readonly #trainers = new Emitter<void>();

  /** `change` is what a device's words become on their way to the host: of some device. */
  constructor(change: Readonly<Record<string, Change>> = {}, views: readonly DeviceView[] = IDS.map(view)) {
    for (const id of IDS) {
      const device = new StageDevice(id, engine, () => undefined);
      this.devices.set(id, device);
      this.deviceLinks.attach(id, changed(device.host, change[id] ?? ((message) => message)), false);
    }
    new Relay({ deviceLinks: this.deviceLinks, members: () => new Set(IDS), maxBytes: 1e9 });
    this.audits = new Audits({
      ...{ share: 0.08, term: 1, settings, deviceLinks: this.deviceLinks, key: new Uint8Array(32) },
      blockLength: tensorSizes(settings).blockLength,
      host: () => HOST,
      able: () => [],
      devices: () => views,
      plan: () => plan,
      nameOf: (id) => id,
      onNews: (_, sentence) => void this.said.push(sentence),
      onLiar: (id) => void this.liars.push(id),
    });
  }

  /** Whether the round counts. */
  async round(after?: number): Promise<{ counts: boolean; done: SplitRoundDone }> {
    const { dropout } = recipe;
    const { deviceLinks, audits } = this;
    const training = { ...settings.training, dropout: dropout.probability, seed: dropout.seed };
    const input = {
      ...{ term: 1, course: 0, round: recipe.round, plan, after, deviceLinks },
      parameters: { version: 7, values: model.parameters },
      settings: { ...settings, training },
      batch: recipe.batch,
      trainers: () => [],
      onTrainers: this.#trainers.on,
      onActivity: () => undefined,
      onNews: () => undefined,
      nameOf: (id: string) => id,
      signal: new AbortController().signal,
    };
    let counts = true;
    const result = await runSplitRound({
      ...input,
      spares: () => [],
      finishSeconds: [1, 1, 1],
      checked: audits,
      onAll: (done) => {
        counts = audits.splitRoundEnds(input, plan, done);
      },
    });
    if (result.kind !== 'done') throw new Error(result.sentence);
    await audits.settled();
    return { counts, done: result };
  }

  close(): void {
    this.audits.close();
  }
}

function changed(link: MessageLink, change: Change): MessageLink {
  return new Proxy(link, {
    get: (target, key) => {
      if (key === 'onMessage')
        return (take: (message: DataMessage) => void) => target.onMessage((message) => take(change(message)));
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const upset: Change = (message) => {
  const { header, tensors } = message;
  const [tensor] = tensors;
  if (header.type !== 'hidden' || !(tensor instanceof Float32Array)) return message;
  return { header, tensors: [tensor.map((x) => 1.1 * x)] };
};
const denies: Change = (message) => {
  const { header } = message;
  if (header.type !== 'done' || header.cuts === undefined) return message;
  return { header: { ...header, cuts: { ...header.cuts, fromBelow: 'f'.repeat(64) } }, tensors: [] };
};

describe('stages that are checked', () => {
  it('are computed again by others, of what their neighbours show, and found right', async () => {
    const scene = new Scene();
    const { counts, done } = await scene.round();
    expect(counts).toBe(true);
    const digests = done.stages.map(({ cuts }) => cuts);
    expect(digests[0]).toMatchObject({ fromBelow: null, toBelow: null });
    expect(digests[0]?.toAbove).toBe(digests[1]?.fromBelow);
    expect(digests[1]?.toBelow).toBe(digests[0]?.fromAbove);
    expect([scene.said, scene.liars]).toEqual([[], []]);
    // Three newcomers, each on another device than its own.
    const again = [...scene.devices.values()].flatMap(({ id, seconds }) =>
      seconds.flatMap(({ loaded }) => loaded.map((run) => [id, run] as const)),
    );
    expect(again.map(([, run]) => run)).toEqual(expect.arrayContaining([...RUNS]));
    for (const [id, run] of again) expect(id).not.toBe(STAGES[RUNS.indexOf(run)]);
    scene.close();
  });

  it('are said to be unaudited where nobody has the memory for their run', async () => {
    const tight = IDS.map(view).map((one) => ({
      ...one,
      profile: one.profile && { ...one.profile, memory: { ...one.profile.memory, limitBytes: 1 } },
    }));
    const scene = new Scene({}, tight);
    expect((await scene.round()).counts).toBe(true);
    expect(scene.said).toHaveLength(3);
    expect(scene.said[1]).toMatch(
      /^Unaudited: .*middlemid gave to round 3, for nobody else has the memory for layer 1/,
    );
    scene.close();
  });
});

/** What a changed worker says in place of a part. */
type Lie = (part: StagePart) => StagePart;
const grown = (values: Float32Array): Float32Array => values.map((x) => 1.05 * x);
const LIES: readonly (readonly [string, string, Lie, RegExp])[] = [
  [
    'false hidden states up',
    'lowlowlow',
    (part) => (part.kind === 'hidden' ? { ...part, values: grown(part.values) } : part),
    /in round 3 what it sent up was 1.05 times/,
  ],
  [
    'false gradients down',
    'highhighhigh',
    (part) => (part.kind === 'dHidden' ? { ...part, values: grown(part.values) } : part),
    /in round 3 what it sent down was 1.05 times/,
  ],
  [
    'false gradients of its own',
    'middlemid',
    (part) => (part.kind === 'gradient' ? { ...part, gradient: part.gradient.map((x) => -x) } : part),
    /in round 3 its gradient of layer 1 pointed the other way/,
  ],
  [
    'a false loss',
    'highhighhigh',
    (part) => (part.kind === 'done' ? { ...part, lossSum: 0.9 * part.lossSum } : part),
    /in round 3 it said that its loss was/,
  ],
];

describe('a stage that lies', () => {
  it.each(LIES)(
    'by %s is found and nobody else is, though what they made of it is false, too',
    async (_, id, lie, words) => {
      const scene = new Scene();
      const worker = scene.devices.get(id)?.worker;
      if (worker === undefined) throw new Error(`There is no ${id}.`);
      const { nextOfStage } = worker;
      worker.nextOfStage = async () => lie(await nextOfStage());
      expect((await scene.round()).counts).toBe(true);
      expect(scene.liars).toEqual([id]);
      expect(scene.said).toHaveLength(1);
      expect(scene.said[0]).toMatch(words);
      expect(scene.audits.takeUndo()).toBe(recipe.round - 1);
      scene.close();
    },
  );
});

describe('neighbours that do not say the same of what went between them', () => {
  it.each([
    ['one sends other than what it says that it sent', { middlemid: upset }, 'middlemid'],
    ['one says that it was sent something else', { highhighhigh: denies }, 'highhighhigh'],
  ] as const)('(%s) do the round again in the host’s sight: then it is known who lies', async (_, change, liar) => {
    const scene = new Scene(change);
    const first = await scene.round();
    expect([first.counts, scene.liars]).toEqual([false, []]);
    expect(
      scene.said.every((sentence) => sentence.includes('middlemid and ') || sentence.includes(' and middlemid')),
    ).toBe(true);
    expect(scene.audits.isWatched('middlemid', 'highhighhigh')).toBe(true);
    expect(scene.audits.isWatched('lowlowlow', 'highhighhigh')).toBe(false);
    const second = await scene.round(first.done.epoch);
    expect([second.counts, scene.liars]).toEqual([false, [liar]]);
    expect(scene.said.at(-1)).toMatch(`${liar} was removed: in round 3 it denied`);
    scene.close();
  });
});

it('a neighbour that shows something else than it had said keeps others unaudited, and is named; nobody is removed', async () => {
  const forges: Change = (message) => {
    const { header, tensors } = message;
    const [tensor] = tensors;
    if (header.type !== 'shown' || !('order' in header.tag) || !(tensor instanceof Float32Array)) return message;
    return { header, tensors: [tensor.map((x) => x + 1)] };
  };
  const scene = new Scene({ lowlowlow: forges });
  expect((await scene.round()).counts).toBe(true);
  expect(scene.audits.takeWithheld()).toEqual(['lowlowlow']);
  expect(scene.audits.takeWithheld()).toEqual([]);
  expect(scene.said[0]).toBe('lowlowlow did not show what had gone over its cut in round 3.');
  expect(scene.said.slice(1).map((sentence) => sentence.split(' gave')[0])).toEqual([
    'Unaudited: no other device could compute again what middlemid',
  ]);
  expect(scene.liars).toEqual([]);
  scene.close();
});
