import { rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { messageOf } from '../../../web/session/world/with-progress.ts';
import type { HostRequest } from '../../../worker/api/host-api.ts';
import { keyFileOf } from '../../node/node-environment.ts';
import { onStop, type Stop } from '../../node/stopping.ts';
import { visible } from '../../protocol/text/visible.ts';
import { listText } from '../../protocol/words/lists.ts';
import { metricName, scoreText } from '../../protocol/words/metrics.ts';
import { secondsText } from '../../protocol/words/quantities.ts';
import { localAddress } from '../../server/addresses.ts';
import { DEFAULT_HUB_ENDPOINTS } from '../../server/page.ts';
import { CommandError } from '../command-line.ts';
import { tableReportJson } from '../own-table.ts';
import { openServer } from '../serve-command.ts';
import { DEMO_HELP, type DemoOptions, readDemoOptions } from './demo-options.ts';
import { type DemoResult, runSession, UnfinishedError } from './demo-session.ts';
import { DemoTerminal } from './demo-terminal.ts';
import { hiddenBytes, trafficLine } from './demo-text.ts';
import { EXPORTED, keptText, missingText, stoppedText } from './ending-text.ts';
import { isUnfinishedFile, prepareOutputs, refuseFullDisk, unfinishedFile, writeExport } from './outputs.ts';
import { reportLines } from './report-text.ts';

/** How much slower than this machine each demo device pretends to be, in turn. */
const SLOWDOWNS = [1, 1.7, 3];
/** Exit code of a demo that trained, and of which an export is missing. */
const INCOMPLETE = 1;
const NAMES = ['laptop', 'tablet', 'phone', 'desktop', 'old-phone', 'netbook'];

const memoryOf = ({ memoryBytes }: DemoOptions, device: number): number =>
  memoryBytes[Math.min(device, memoryBytes.length - 1)]!;

/** Where tabs that join may fetch the session's model: its hub, too, when it has one elsewhere. */
function hubsOf(session: DemoOptions['session']): readonly string[] {
  // The origin does not matter: only a hub elsewhere is of interest here.
  const model = session.kind === 'fresh' ? session.request('http://127.0.0.1').model : null;
  return model?.kind === 'hub' ? [...DEFAULT_HUB_ENDPOINTS, model.endpoint] : DEFAULT_HUB_ENDPOINTS;
}

export async function demoCommand(argv: string[]): Promise<number> {
  const options = await readDemoOptions(argv);
  if (options === null) {
    process.stdout.write(DEMO_HELP);
    return 0;
  }
  const { session, port, host, hubFolder, out, json, logFile } = options;
  const named = { checkpoint: options.checkpointFile, log: logFile };
  await prepareOutputs(
    out,
    options.forms,
    Object.entries(named).flatMap(([option, file]) => (file ? [[option, file]] : [])),
  );
  const server = await openServer({
    port,
    host,
    hub: hubFolder,
    model: options.modelFolder,
    ice: [],
    hubEndpoints: hubsOf(session),
    log: () => undefined,
  });
  const origin = localAddress(host, server.port);
  const stop = new AbortController();
  const stopped: { why: Stop | null } = { why: null };
  const stopping = onStop((why) => {
    stopped.why = why;
    stop.abort();
  });
  const checkpointFile = options.checkpointFile ?? unfinishedFile(out);
  const terminal = new DemoTerminal(json ? process.stderr : process.stdout);
  try {
    terminal.line(`\n  The page is at ${origin} while this runs.`);
    const startMs = performance.now();
    const result = await runSession({
      origin,
      session: session.kind === 'checkpoint' ? session : { ...session, request: session.request(origin) },
      devices: Array.from({ length: options.deviceCount }, (_, i) => ({
        name: NAMES[i % NAMES.length] + (i < NAMES.length ? '' : `-${Math.floor(i / NAMES.length) + 1}`),
        slowdown: SLOWDOWNS[i % SLOWDOWNS.length],
        memoryBytes: memoryOf(options, i + 1),
      })),
      memoryBytes: memoryOf(options, 0),
      engine: options.engine,
      exports: {
        forms: options.forms,
        which: options.which,
        weigh: (bytesOf) => refuseFullDisk(out, bytesOf),
        deliver: (form, parts) => writeExport(out, form, parts),
      },
      cacheFolder: options.cacheFolder,
      checkpointFile,
      logFile,
      door: options.door,
      giveTable: options.giveTable,
      onDoor: (line) => terminal.line(line),
      onLink: (link) => terminal.line(`  A tab can join or watch at ${link}\n`),
      onView: (view) => terminal.show(view),
      signal: stop.signal,
    });
    const seconds = (performance.now() - startMs) / 1000;
    const single =
      options.compareSingle && session.kind === 'fresh'
        ? await compareSingle(result, origin, session.request(origin), stop.signal, terminal)
        : null;
    report(terminal, result, seconds, out, single);
    if (result.traffic !== null) terminal.line(trafficLine(result.traffic, result.hiddenStates));
    if (json) process.stdout.write(`${JSON.stringify(summary(result, seconds, out, single))}\n`);
    if (result.missing.length > 0) {
      process.stderr.write(
        `tabloom: ${visible(missingText(result, out, checkpointFile, options.again(checkpointFile)))}\n`,
      );
      return INCOMPLETE;
    }
    if (options.checkpointFile === null || isUnfinishedFile(out, checkpointFile))
      for (const file of [checkpointFile, keyFileOf(checkpointFile)]) await rm(file, { force: true });
    return 0;
  } catch (error) {
    const left = error instanceof UnfinishedError ? keptText(error, checkpointFile, options.again(checkpointFile)) : '';
    if (stopped.why === null) throw new CommandError(`${messageOf(error)}${left}`);
    terminal.line(`\n  ${stoppedText(stopped.why)}${left}`);
    return stopped.why.code;
  } finally {
    stopping.off();
    await server.close();
  }
}

/** Trains once more on the host alone with the same seed, and gradients as they are; the largest |a - b| / |b| of the rounds' losses. */
async function compareSingle(
  cooperative: DemoResult,
  origin: string,
  request: HostRequest,
  signal: AbortSignal,
  terminal: DemoTerminal,
): Promise<number> {
  terminal.line('\n  The same on one device, to compare:');
  const alone = await runSession({
    origin,
    session: {
      kind: 'fresh',
      request: { ...request, training: { ...request.training, uploads: 'f32' } },
      policy: 'offload',
      patience: 0,
    },
    devices: [],
    exports: null,
    cacheFolder: null,
    checkpointFile: null,
    logFile: null,
    door: { door: 'locked', cap: null, admitAll: false },
    onDoor: () => undefined,
    onLink: () => undefined,
    onView: (view) => terminal.show(view),
    signal,
  });
  const differences = cooperative.rounds.map(({ loss }, i) => {
    const other = alone.rounds[i].loss;
    return Math.abs(loss - other) / Math.max(Math.abs(other), Number.MIN_VALUE);
  });
  return Math.max(...differences);
}

function summary(result: DemoResult, seconds: number, folder: string, single: number | null) {
  const [before, after] = [result.scores[0], result.scores[result.scores.length - 1]];
  const table = result.data?.tables[0];
  return {
    seconds,
    trainingSeconds: result.seconds.training,
    lastScoreSeconds: result.seconds.lastScore,
    metric: after.metric,
    before: before.value,
    after: after.value,
    ...(after.constant !== undefined && { constant: after.constant }),
    loss: after.loss,
    ...(after.further && { further: after.further }),
    ...(result.report && { report: result.report }),
    ...(result.data !== null && { cutTexts: result.data.cutTexts }),
    ...(table !== undefined && { table: tableReportJson(table) }),
    losses: result.rounds.map((r) => r.loss),
    reassigned: result.rounds.reduce((sum, r) => sum + r.reassigned, 0),
    uploadBits: result.rounds.reduce((sum, r) => sum + r.devices.reduce((s, d) => s + d.uploadBits, 0), 0),
    adapter: folder,
    ...(result.missing.length > 0 && { missing: result.missing }),
    ...(result.traffic !== null && { hiddenStateBytes: hiddenBytes(result.traffic) }),
    ...(single === null ? {} : { largestRelativeLossDifference: single }),
  };
}

function report(
  terminal: DemoTerminal,
  result: DemoResult,
  seconds: number,
  folder: string,
  single: number | null,
): void {
  const { before, after, metric } = summary(result, seconds, folder, single);
  const shown = (value: number): string => scoreText(metric, value);
  terminal.line(
    `\n  Dev ${metricName(metric)} ${shown(before)} -> ${shown(after)} in ${secondsText(seconds)} (training ${secondsText(result.seconds.training)}, the last score ${secondsText(result.seconds.lastScore)}).`,
  );
  if (result.report !== null) for (const line of reportLines(result.report)) terminal.line(line);
  if (single !== null)
    terminal.line(`  Largest relative difference of loss from one device: ${single.toExponential(2)}.`);
  if (result.delivered.length === 0) return;
  const where = relative(process.cwd(), folder) || folder;
  terminal.line(`  In ${where}: ${listText(result.delivered.map((form) => EXPORTED[form]))}.\n`);
}
