/**
 * A room of Chromium tabs, each in a browser of its own, from the start form into the rounds of a model of roberta-base's size:
 *
 *     npm run bench:tabs -- [--size base|mini] [--tabs 2] [--task sst2] [--weights f32|f16|int8] [--rounds 8]
 *                                                        [--seconds 420] [--engine auto|webgpu|wasm] [--json]
 *
 * It ends by itself after so many rounds, or seconds. Told: what the page says of the time; after how many seconds each device was ready (the
 * host from the press on "Start a session", the others from "Join"); seconds from "Start training" to the first round's beginning; rounds over
 * the plan's prediction; what part of a round each device computes nothing; the links as devices measured them; when scores came. Of each tab
 * besides: memory of its process over that of the start page, beside what its profile states for its work; frames a second and long tasks of
 * the page's own thread while rounds go on. The first round does not count; rounds count under the plan that they ran by. GLUE comes from
 * `--hub`, a folder with the hub's layout.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { memoryBytes } from '../../signaling/protocol/cost-model.ts';
import { median } from '../../signaling/protocol/median.ts';
import { bytesText, rateText, secondsText } from '../../signaling/protocol/words/quantities.ts';
import { localModelId } from '../../signaling/server/page.ts';
import { startServer } from '../../signaling/server/server.ts';
import { type Tab, withBrowser } from '../browser/harness.ts';
import { learn, openDevice } from '../browser/person.ts';
import { HostMessages } from './room-of-tabs/host-messages.ts';
import { rendererBytes, type Smoothness, watchFrames } from './room-of-tabs/renderer.ts';
import { randomModelFolder, SIZES } from './split/random-folder.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'base' },
    tabs: { type: 'string', default: '2' },
    task: { type: 'string', default: 'sst2' },
    weights: { type: 'string', default: 'f32' },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '420' },
    engine: { type: 'string', default: 'auto' },
    hub: { type: 'string', default: '../shared/hub' },
    folder: { type: 'string', default: join(tmpdir(), 'tabloom-random-models') },
    /** Every round in a line: seconds down, of computing, up. */
    each: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const size = Object.keys(SIZES).find((one): one is keyof typeof SIZES => one === values.size);
const folder = size === undefined ? project('models/roberta-mini') : await randomModelFolder(size, values.folder);
const beganMs = performance.now();
const endMs = beganMs + 1000 * Number(values.seconds);
const leftMs = (): number => Math.max(1, endMs - performance.now());
const sinceSeconds = (ms: number): number => (performance.now() - ms) / 1000;

const server = await startServer({
  port: 0,
  host: '127.0.0.1',
  pageFolder: project('dist'),
  modelsFolder: project('models'),
  hubFolder: values.hub,
  modelFolder: folder,
  iceServers: [],
  log: () => undefined,
});
const origin = `http://127.0.0.1:${server.port}`;

/** So many browsers, one within the other. */
async function withTabs(count: number, body: (open: readonly ((url: string) => Promise<Tab>)[]) => Promise<void>) {
  const opened: ((url: string) => Promise<Tab>)[] = [];
  const next = (): Promise<void> =>
    opened.length === count
      ? body(opened)
      : withBrowser('chromium', (browser) => {
          opened.push((url) => browser.open(url, { width: opened.length === 1 ? 1280 : 390 }));
          return next();
        });
  await next();
}

const until = async (satisfied: () => boolean): Promise<void> => {
  while (!satisfied() && leftMs() > 1) await new Promise((resolve) => setTimeout(resolve, 100));
};
const text = (tab: Tab, selector: string): Promise<string> =>
  tab.page.evaluate(
    (where) => document.querySelector<HTMLElement>(where)?.innerText.replaceAll('\n', ' ') ?? '',
    selector,
  );
const unfold = (tab: Tab, summary: string): Promise<void> =>
  tab.page.locator(`::-p-xpath(//summary[starts-with(normalize-space(), '${summary}')])`).click();

interface Seen {
  readonly tab: Tab;
  readonly name: string;
  readonly idleBytes: number | null;
  startMs: number;
  bytes: number | null;
  frames: (() => Promise<Smoothness>) | null;
  smooth: Smoothness | null;
}

async function hosted(
  open: (url: string) => Promise<Tab>,
): Promise<{ seen: Seen; messages: HostMessages; link: string }> {
  const tab = await open(origin);
  const messages = await HostMessages.listen(tab.page);
  await learn(tab, values.task);
  await openDevice(tab);
  await tab.fill('input[name="name"]', 'Host');
  await tab.page.select('select[name="engine"]', values.engine);
  await tab.page.select('select[name="model"]', 'hub');
  await tab.fill('input[name="endpoint"]', `${origin}/hub`);
  await tab.fill('input[name="repository"]', localModelId(folder));
  await tab.page.keyboard.press('Tab');
  await tab.page.select('select[name="weights"]', values.weights);
  const idleBytes = await rendererBytes(tab.page);
  const startMs = performance.now();
  await tab.press('Start a session');
  const field = await tab.page.waitForSelector('input[aria-label="Session link"]', { timeout: leftMs() });
  const link = (await field?.evaluate((input) => input.value)) ?? '';
  return { seen: { tab, name: 'Host', idleBytes, startMs, bytes: null, frames: null, smooth: null }, messages, link };
}

async function joined(open: (url: string) => Promise<Tab>, link: string, name: string): Promise<Seen> {
  const tab = await open(link);
  await tab.fill('input[name="name"]', name);
  await unfold(tab, 'More');
  await tab.page.select('select[name="engine"]', values.engine);
  const idleBytes = await rendererBytes(tab.page);
  const startMs = performance.now();
  await tab.press('Join');
  return { tab, name, idleBytes, startMs, bytes: null, frames: null, smooth: null };
}

try {
  await withTabs(Number(values.tabs), async ([first, ...others]) => {
    if (first === undefined) throw new Error('A room needs one tab at least.');
    const { seen: host, messages, link } = await hosted(first);
    await until(() => messages.readyMs.has('Host'));
    const tabs = [host];
    for (const [i, open] of others.entries()) {
      const name = `Tab ${i + 2}`;
      tabs.push(await joined(open, link, name));
      await until(() => messages.readyMs.has(name));
    }
    await until(() => messages.room?.plan != null && messages.room.devices.every(({ linked }) => linked));
    // The plan with all of them, and what the page says of it.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const told = [
      await text(host.tab, '.now-detail'),
      await text(host.tab, '.standing'),
      await text(host.tab, '.ends'),
    ];
    for (const one of tabs) {
      one.frames = await watchFrames(one.tab.page);
      await one.tab.page.bringToFront();
    }
    const pressedMs = performance.now();
    await host.tab.press('Start training');
    await until(() => messages.rounds.length > Number(values.rounds));
    for (const one of tabs) {
      one.bytes = await rendererBytes(one.tab.page);
      one.smooth = (await one.frames?.()) ?? null;
    }
    const running = await text(host.tab, '.now-detail');
    tell(tabs, messages, { told, running, pressedMs });
  });
} finally {
  await server.close();
}

function tell(
  tabs: readonly Seen[],
  { room, rounds, scores, plans, readyMs }: HostMessages,
  { told, running, pressedMs }: { told: readonly string[]; running: string; pressedMs: number },
): void {
  if (room === null) throw new Error('There was no room in time.');
  const [first] = rounds;
  const counted = rounds.slice(1);
  const over = counted.map(
    ({ report }) => report.elapsedSeconds / (plans.get(report.planVersion)?.latencySeconds ?? NaN),
  );
  const overBound = counted.map(
    ({ report }) => report.elapsedSeconds / (plans.get(report.planVersion)?.lowerBoundSeconds ?? NaN),
  );
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const elapsed = sum(counted.map(({ report }) => report.elapsedSeconds));
  const devices = tabs.map(({ tab: _, name, idleBytes, startMs, bytes, smooth }) => {
    const device = room.devices.find((one) => one.name === name);
    const own = counted.flatMap(({ report }) => report.devices.filter((one) => one.device === device?.id));
    const profile = device?.profile ?? null;
    const work = room.plan?.assignments.find((one) => one.device === device?.id);
    return {
      name,
      backend: profile?.backend,
      readySeconds: ((readyMs.get(name) ?? NaN) - startMs) / 1000,
      linkBitsPerSecond: profile?.linkBitsPerSecond,
      idleShare: elapsed === 0 ? null : 1 - sum(own.map(({ computeSeconds }) => computeSeconds)) / elapsed,
      statedBytes: profile === null ? null : memoryBytes(profile, work?.microBatch ?? 1, room.settings.shape.layers),
      residentBytes: bytes === null || idleBytes === null ? null : bytes - idleBytes,
      framesPerSecond: smooth && smooth.frames / smooth.seconds,
      longestGapMs: smooth?.gaps[0] ?? null,
      longTasks: smooth?.longTasks.length ?? null,
      longestTaskMs: smooth && Math.max(0, ...smooth.longTasks),
    };
  });
  const result = {
    size: values.size,
    task: values.task,
    weights: values.weights,
    told,
    running,
    beforeFirstRoundSeconds: first === undefined ? null : (first.atMs - pressedMs) / 1000 - first.report.elapsedSeconds,
    firstRoundSeconds: first?.report.elapsedSeconds ?? null,
    rounds: counted.length,
    roundSeconds: counted.length === 0 ? null : median(counted.map(({ report }) => report.elapsedSeconds)),
    predictedSeconds: room.plan?.latencySeconds ?? null,
    overPredicted: over.length === 0 ? null : median(over),
    overBound: overBound.length === 0 ? null : median(overBound),
    policy: room.plan?.policy,
    scores: scores.map(({ atMs, round, examples }) => ({ round, examples, afterSeconds: (atMs - pressedMs) / 1000 })),
    devices,
    seconds: sinceSeconds(beganMs),
  };
  if (values.each)
    for (const { report } of rounds) {
      const own = report.devices.map(({ device, samples, computeSeconds, uploadSeconds, downSeconds = 0 }) => {
        const name = room.devices.find(({ id }) => id === device)?.name ?? device;
        const parts = [downSeconds, computeSeconds, uploadSeconds].map((part) => part.toFixed(2)).join(' + ');
        return `${name} ${samples} samples ${parts}`;
      });
      const predicted = plans.get(report.planVersion)?.latencySeconds.toFixed(2);
      console.log(`round ${report.round}: ${report.elapsedSeconds.toFixed(2)} s (${predicted}): ${own.join(', ')}`);
    }
  if (values.json) console.log(JSON.stringify(result));
  else print(result);
}

function print(result: {
  readonly told: readonly string[];
  readonly running: string;
  readonly beforeFirstRoundSeconds: number | null;
  readonly rounds: number;
  readonly roundSeconds: number | null;
  readonly predictedSeconds: number | null;
  readonly overPredicted: number | null;
  readonly overBound: number | null;
  readonly policy: string | undefined;
  readonly scores: readonly { readonly round: number; readonly examples: number; readonly afterSeconds: number }[];
  readonly devices: readonly {
    readonly name: string;
    readonly backend: string | undefined;
    readonly readySeconds: number;
    readonly linkBitsPerSecond: number | undefined;
    readonly idleShare: number | null;
    readonly statedBytes: number | null;
    readonly residentBytes: number | null;
    readonly framesPerSecond: number | null;
    readonly longestGapMs: number | null;
    readonly longTasks: number | null;
    readonly longestTaskMs: number | null;
  }[];
  readonly seconds: number;
}): void {
  const seconds = (value: number | null): string => (value === null ? '' : secondsText(Math.max(0, value)));
  const ratio = (value: number | null): string => (value === null ? '' : value.toFixed(2));
  for (const sentence of result.told) console.log(`told before the start: ${sentence}`);
  console.log(`told after ${result.rounds} rounds: ${result.running}`);
  console.log(`first round begins after ${seconds(result.beforeFirstRoundSeconds)}`);
  console.log(
    `a round ${seconds(result.roundSeconds)}, ${result.policy ?? 'no plan'}; last predicted ${seconds(result.predictedSeconds)}; over the prediction ${ratio(result.overPredicted)}, over the lower bound ${ratio(result.overBound)} (medians of ${result.rounds})`,
  );
  for (const { round, examples, afterSeconds } of result.scores)
    console.log(`score after round ${round}, of ${examples} examples: ${seconds(afterSeconds)} after the start`);
  console.log(
    '\n| device | computes on | ready after | link | idle | states | resident over an idle tab | frames a second | longest gap | long tasks | the longest |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|---|');
  for (const one of result.devices) {
    const { name, backend = '', linkBitsPerSecond: link, statedBytes: stated, residentBytes: resident } = one;
    const of = stated !== null && resident !== null ? `: ${(resident / stated).toFixed(2)}` : '';
    const cells = [
      name,
      backend,
      seconds(one.readySeconds),
      link === undefined ? '' : link >= 1e12 ? 'host' : rateText(link),
      one.idleShare === null ? '' : `${(100 * one.idleShare).toFixed(0)} %`,
      stated === null ? '' : bytesText(stated),
      resident === null ? '' : `${bytesText(resident)}${of}`,
      one.framesPerSecond?.toFixed(1) ?? '',
      one.longestGapMs === null ? '' : `${one.longestGapMs.toFixed(0)} ms`,
      String(one.longTasks ?? ''),
      one.longestTaskMs === null ? '' : `${one.longestTaskMs.toFixed(0)} ms`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log(`\n${result.seconds.toFixed(0)} s in all`);
}
process.exit(0);
