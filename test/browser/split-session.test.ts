import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RoomView, RoundReport } from '../../signaling/protocol/room-view.ts';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { type SegmentKind, timeline } from '../../web/page/timeline/timeline.ts';
import type { InvitedTo } from '../../web/session/view/view.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { DEALT, DEALT_MICRO_BATCHES, DEALT_RUNS } from '../process/dealt-plans.ts';
import { trainAlone } from '../process/one-device.ts';
import { type Tab, withBrowser } from './harness.ts';
import type {} from './session-page/page.ts';

/** A model split over three tabs of two browsers: a third of its units each, hidden states from tab to tab, the curve of one device. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ROUNDS = 6;
/** How far the clocks of two tabs may be apart, on a machine that is busy; they were opened further apart. */
const CLOCKS_SECONDS = 2;

let folder: string;
let server: RunningServer;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-split-page-'));
  await build({
    configFile: project('vite.config.ts'),
    root: project('test/browser/session-page'),
    base: './',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: folder,
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
    planner: DEALT,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

const loaded = (tab: Tab): Promise<void> =>
  tab.until('the factory is there', () => globalThis.factory !== undefined, { timeoutMs: 30_000 });

const request = (): HostRequest => ({
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: 'grammar', endpoint: origin },
  lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
  training: {
    ...PLAIN_TRAINING,
    rounds: ROUNDS,
    samplesPerRound: 8,
    maxTokens: 32,
    learningRate: 3e-3,
    weightDecay: 0.01,
    warmupFraction: 0.1,
    dropout: 0.1,
    evaluateEvery: 0,
    seed: 7,
  },
  origin,
});

/** Makes the session, in the page; what others are invited with. */
async function host(asked: HostRequest): Promise<InvitedTo> {
  const options = { name: 'laptop', policy: 'split', slowdown: 1, patience: 0, memoryBytes: 9.5e6 } as const;
  globalThis.session = await globalThis.factory.host(asked, options);
  const { invitation } = await globalThis.until((view) => view.invitation !== null && view.status.kind === 'measured');
  if (invitation === null) throw new Error('Nobody can be invited.');
  return { room: invitation.room, secret: invitation.secret };
}

/** What the page draws of a round: each stage's passes, and every message between stages, after it was made and before it was used. */
function expectTimeline(report: RoundReport | undefined, room: RoomView | null | undefined): void {
  if (report === undefined || room == null) throw new Error('There is no round.');
  const { lanes } = timeline({ report, room, seats: room.devices.map(({ id }) => id) });
  const microBatches = Array.from({ length: DEALT_MICRO_BATCHES }, (_, j) => j);
  const [lowest, middle, top] = room.plan?.assignments.map(({ device }) => device) ?? [];
  const of = (device: string | undefined, what: 'segments' | 'sends', kind: SegmentKind) =>
    (lanes.find((lane) => lane.device === device)?.[what] ?? []).filter((one) => one.kind === kind);
  for (const device of [lowest, middle, top])
    for (const kind of ['forward', 'backward'] as const)
      expect(of(device, 'segments', kind).map(({ microBatch }) => microBatch)).toEqual(microBatches);
  for (const [from, to, send, pass] of [
    [lowest, middle, 'send-up', 'forward'],
    [middle, top, 'send-up', 'forward'],
    [top, middle, 'send-down', 'backward'],
    [middle, lowest, 'send-down', 'backward'],
  ] as const) {
    const sends = of(from, 'sends', send);
    expect(sends.map(({ microBatch }) => microBatch).sort()).toEqual(microBatches);
    for (const { microBatch, startSeconds, endSeconds } of sends) {
      const made = of(from, 'segments', pass).find((one) => one.microBatch === microBatch);
      const used = of(to, 'segments', pass).find((one) => one.microBatch === microBatch);
      expect(startSeconds).toBeCloseTo(made?.endSeconds ?? Number.NaN, 4);
      // The two ends go by clocks of two tabs, which are compared once a round.
      expect((used?.startSeconds ?? 0) - endSeconds).toBeGreaterThan(-CLOCKS_SECONDS);
    }
  }
}

it('three tabs of two browsers hold a third of a model each, and train as one device does', async () => {
  await withBrowser('chromium', (chromium) =>
    withBrowser('firefox', async (firefox) => {
      const first = await chromium.open(origin);
      await loaded(first);
      const invited = await first.page.evaluate(host, request());
      for (const [i, browser] of [firefox, chromium].entries()) {
        const tab = await browser.open(origin);
        await loaded(tab);
        await tab.page.evaluate(
          (to: InvitedTo, name: string) =>
            void globalThis.factory.join(to, { name, watch: false, slowdown: 1, memoryBytes: 9.5e6 }),
          invited,
          `tab ${i + 2}`,
        );
        await first.page.bringToFront();
        await first.page.evaluate(
          (count: number) =>
            globalThis
              .until(({ room }) => room?.devices.filter((d) => d.profile !== null && d.linked).length === count)
              .then(() => undefined),
          i + 2,
        );
      }
      const seen = await first.page.evaluate(async () => {
        await globalThis.until(({ room }) => room?.plan != null);
        globalThis.session.start();
        const { room, rounds, scores } = await globalThis.until((view) => view.room?.phase === 'finished');
        const tried = await globalThis.session.tryText('a wonderful film', null);
        return {
          settings: room?.settings,
          holds: room?.devices.map((device) => device.holds),
          losses: rounds.map(({ loss }) => loss),
          scores: scores.map(({ round, examples }) => [round, examples]),
          tried: tried.round,
          last: rounds.at(-1),
          room,
        };
      });
      if (seen.settings === undefined) throw new Error('There is no room.');
      expect(seen.holds).toEqual(DEALT_RUNS.map(({ from, to }) => ({ from, to })));
      expect(seen.scores).toEqual([
        [0, 500],
        [ROUNDS, 500],
      ]);
      expect(seen.tried).toBe(ROUNDS);
      expect(seen.room?.devices.map(({ profile }) => profile?.memory.limitBytes)).toEqual([9.5e6, 9.5e6, 9.5e6]);
      expectTimeline(seen.last, seen.room);
      const alone = await trainAlone(seen.settings, origin);
      expect(seen.losses).toEqual(alone.losses);
    }),
  );
});
