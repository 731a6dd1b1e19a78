import { describe, expect, it } from 'vitest';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import type { Policy } from '../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../signaling/protocol/split.ts';
import { TrainerSeat } from '../../web/session/rounds/trainer-seat.ts';
import { RunHolder } from '../../web/session/stages/run-holder.ts';
import { StageSeat } from '../../web/session/stages/stage-seat.ts';
import { runWorthHaving } from '../../web/session/stages/worth-having.ts';
import { profile } from '../protocol/samples.ts';
import { DeskWorker, engine, RUNS, settings } from './stage-scene.ts';

const SELF = 'selfself';
const IDS = ['hosthost', 'lowlowlow', 'highhigh', SELF, 'anotherr'];
const WHOLE: UnitRun = { from: 0, to: 5 };

function planOf(runs: readonly (readonly [string, UnitRun])[]): RoomPlan {
  return {
    version: 1,
    policy: 'split',
    solver: '',
    solveMs: 0,
    latencySeconds: 1,
    lowerBoundSeconds: 0,
    limitedBy: '',
    explanation: '',
    assignments: runs.map(([device, run], index) => ({
      device,
      layers: [],
      head: false,
      samples: { start: 0, count: 6 },
      microBatch: 2,
      memoryBytes: 0,
      share: 1,
      uploadBits: 0,
      computeSeconds: 0,
      uploadSeconds: 0,
      stage: { pipeline: 0, index, ...run, window: 1, microBatches: 4 },
    })),
  };
}

/** What single units cost: embeddings 100 bytes, a layer 10, the head 1. */
const withParts = {
  ...profile(),
  parts: {
    fixedSeconds: { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 },
    embeddingBytes: 100,
    layerBytes: 10,
    headBytes: 1,
  },
};
const deviceView = (id: string): DeviceView => ({
  id,
  name: id,
  kind: 'headless',
  status: { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: withParts,
});

const roomOf = (
  policy: Policy,
  plan: RoomPlan | null,
  change: Partial<DeviceView> & { id?: string } = {},
): RoomView => ({
  id: 'abc234',
  settings: { ...settings, policy },
  phase: 'training',
  host: 'hosthost',
  devices: IDS.map((id) => (id === change.id ? { ...deviceView(id), ...change } : deviceView(id))),
  plan,
  planNote: null,
});

class Scene {
  readonly worker = new DeskWorker(engine);
  readonly said: string[] = [];
  readonly stages: StageSeat;
  readonly holder: RunHolder;
  room: RoomView;

  constructor(room: RoomView) {
    this.room = room;
    const world = {
      origin: '',
      memoryLimitBytes: 1e9,
      startDeviceWorker: () => ({ api: this.worker, terminate: () => undefined }),
    };
    const seat = new TrainerSeat(world, room.settings, ({ kind }) => {
      if (this.said.at(-1) !== kind) this.said.push(kind);
    });
    this.stages = new StageSeat(SELF, seat.model);
    this.holder = new RunHolder({
      self: SELF,
      seat,
      stages: this.stages,
      slowdown: 1,
      room: () => this.room,
      onMeasured: () => this.said.push('profile'),
      onHolds: (run) => this.said.push(run === null ? 'holds nothing' : `holds ${run.from} to ${run.to}`),
      onStanding: ({ kind }) => this.said.push(`is ${kind}`),
      onFailed: (sentence) => this.said.push(sentence),
    });
  }

  async tell(room: RoomView): Promise<void> {
    this.room = room;
    this.holder.roomChanged();
    await settle();
  }
}

/** Nothing here waits for longer than its promises, but the look at a download, which ends with it. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 300));
};

async function begun(room: RoomView, change: (scene: Scene) => void = () => undefined): Promise<Scene> {
  const scene = new Scene(room);
  change(scene);
  scene.holder.begin();
  await settle();
  return scene;
}

const MINE = planOf([
  ['lowlowlow', RUNS[0]!],
  [SELF, RUNS[1]!],
  ['highhigh', RUNS[2]!],
]);
const OTHERS = planOf([
  ['lowlowlow', { from: 0, to: 1 }],
  ['highhigh', { from: 1, to: 5 }],
]);

describe('a device in a room that splits its model', () => {
  it('measures itself and fetches nothing; then holds the run that the plan names, and says so before it is ready', async () => {
    const scene = await begun(roomOf('split', null));
    expect(scene.said).toEqual(['profiling', 'profile', 'is measured']);
    expect(scene.worker.loaded).toEqual([]);
    await scene.tell(roomOf('split', MINE));
    expect(scene.worker.loaded).toEqual([RUNS[1]]);
    expect(scene.said.slice(3)).toEqual(['loading', 'holds 2 to 3', 'is ready']);
    // The same plan again, and one whose run it holds already.
    await scene.tell(roomOf('split', MINE));
    expect(scene.worker.loaded).toHaveLength(1);
  });

  it('has what it holds replaced by the run of another plan, once its order is done', async () => {
    const scene = await begun(roomOf('split', MINE));
    let end = (): void => undefined;
    scene.stages.quiet = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const other = planOf([
      [SELF, { from: 0, to: 2 }],
      ['highhigh', { from: 2, to: 5 }],
    ]);
    await scene.tell(roomOf('split', other));
    expect(scene.worker.loaded).toEqual([RUNS[1]]);
    end();
    await settle();
    expect(scene.worker.loaded).toEqual([RUNS[1], { from: 0, to: 2 }]);
    expect(scene.said.slice(-4)).toEqual(['holds nothing', 'loading', 'holds 0 to 2', 'is ready']);
  });

  it('says why where it cannot hold its run', async () => {
    const scene = await begun(roomOf('split', null), ({ worker }) => {
      worker.loadPart = async () => {
        throw new Error('The weights of layer 1 of m take 2 MB here, and training may use 1 MB.');
      };
    });
    await scene.tell(roomOf('split', MINE));
    expect(scene.said.at(-1)).toMatch(/^The weights of layer 1/);
    expect(scene.said).not.toContain('is ready');
  });

  it('without a run brings onto its disk what costs most when its holder goes, each once', async () => {
    const scene = await begun(roomOf('split', OTHERS));
    // Of three without a run this is the last by its id; of two runs the first two have taken one each, and this one takes the heavier again.
    expect(scene.worker.prefetched).toEqual([{ from: 0, to: 1 }]);
    await scene.tell(roomOf('split', OTHERS));
    expect(scene.worker.prefetched).toHaveLength(1);
    expect(scene.worker.loaded).toEqual([]);
  });
});

describe('a device in another room', () => {
  it('holds the whole', async () => {
    const scene = await begun(roomOf('crunch', null), ({ worker }) => {
      worker.isRoomy = true;
    });
    expect(scene.said).toEqual(['loading', `holds ${WHOLE.from} to ${WHOLE.to}`, 'profiling', 'profile', 'is ready']);
  });

  it('that may split its model holds the whole where it fits, and measures itself where it does not', async () => {
    const roomy = await begun(roomOf('auto', null), ({ worker }) => {
      worker.isRoomy = true;
    });
    expect(roomy.said.at(-1)).toBe('is ready');
    const scene = await begun(roomOf('auto', null));
    expect(scene.said).toEqual(['profiling', 'profile', 'is measured']);
    await scene.tell(roomOf('auto', MINE));
    expect(scene.said.at(-1)).toBe('is ready');
  });

  it('that splits its model no longer takes the whole where it fits', async () => {
    const scene = await begun(roomOf('split', MINE), ({ worker }) => {
      worker.isRoomy = true;
    });
    await scene.tell(roomOf('crunch', null));
    expect(scene.said.slice(-6)).toEqual([
      'holds nothing',
      'loading',
      'holds 0 to 5',
      'profiling',
      'profile',
      'is ready',
    ]);
    // A run of it is in the whole.
    await scene.tell(roomOf('split', MINE));
    expect(scene.said.at(-1)).toBe('is ready');
    expect(scene.worker.loaded).toEqual([RUNS[1]]);
  });
});

describe('the run most worth having', () => {
  it('is the heaviest for the first device without one, the next for the next', () => {
    const room = roomOf('split', OTHERS);
    expect(['anotherr', 'hosthost', SELF].map((id) => runWorthHaving(room, id))).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 5 },
      { from: 0, to: 1 },
    ]);
  });

  it('is rather that of a tab in the background than a heavier one of a process', () => {
    const runs = planOf([
      ['lowlowlow', { from: 0, to: 1 }],
      ['highhigh', { from: 1, to: 5 }],
    ]);
    const room = roomOf('split', runs, { id: 'highhigh', kind: 'tab', hidden: true });
    // 4 times 31 bytes against 100.
    expect(runWorthHaving(room, 'anotherr')).toEqual({ from: 1, to: 5 });
  });

  it('is none for a device with a run, and where nothing is split', () => {
    expect(runWorthHaving(roomOf('split', OTHERS), 'lowlowlow')).toBeNull();
    expect(runWorthHaving(roomOf('split', null), SELF)).toBeNull();
  });
});
