import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/watch/timeline.ts';
import { type Mark, markFor, type Seats } from '../cloth/marks.ts';

/**
 * A round as lanes of time, one for each device: from the host's own log of the round, nothing guessed. What a report of an older release
 * does not tell (when work was sent, what the step took) is left out, not made up.
 */

/**
 * `prepare`: the host reads samples. `down`: parameters and samples on their way. `upload`: gradients that come after the device was
 * done. `wait`: for the others. `step`: the host merges and makes the optimiser's step. The last four are of split rooms.
 */
export type SegmentKind =
  | 'prepare'
  | 'down'
  | 'compute'
  | 'upload'
  | 'wait'
  | 'step'
  | 'forward'
  | 'backward'
  | 'send-up'
  | 'send-down';

export interface Segment {
  readonly kind: SegmentKind;
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Counted from 0; null where all samples go at once. */
  readonly microBatch: number | null;
  /** The round was as long as it was because of this. */
  readonly critical: boolean;
}

export interface Lane {
  readonly device: string;
  readonly mark: Mark | null;
  readonly name: string;
  readonly host: boolean;
  readonly segments: readonly Segment[];
  /** Hidden states that it sent up and gradients that it sent down, each until its neighbour had it; beside whatever else it did. */
  readonly sends: readonly Segment[];
  /** When the plan had it done; null where this round ran under another plan. */
  readonly predictedEndSeconds: number | null;
  /** Gradients that it sent; parameters that it was sent are the same for everybody. */
  readonly uploadBytes: number;
}

export interface Timeline {
  readonly round: number;
  readonly seconds: number;
  readonly lanes: readonly Lane[];
  /** The device that the round waited for last; null where nobody did anything. */
  readonly critical: string | null;
}

type Entry = RoundReport['devices'][number];

export interface TimelineInput {
  readonly report: RoundReport;
  readonly room: Pick<RoomView, 'devices' | 'host' | 'plan'>;
  readonly seats: Seats;
}

export function timeline({ report, room, seats }: TimelineInput): Timeline {
  const seconds = report.elapsedSeconds;
  const stepStart = Math.max(0, seconds - (report.stepSeconds ?? 0));
  const ends = report.devices.map((entry) => endOf(entry));
  const latest = ends.length === 0 ? null : ends.indexOf(Math.max(...ends));
  const plan = room.plan?.version === report.planVersion ? room.plan : null;
  const firstStart = Math.min(...report.devices.map(({ startSeconds = 0 }) => startSeconds), seconds);
  const sends = sendsOf(report.devices, room.plan);
  const lanes = order(report, room).map((device): Lane => {
    const host = device === room.host;
    const own = report.devices.flatMap((entry, i) =>
      entry.device === device ? [{ entry, critical: i === latest }] : [],
    );
    const work = own
      .toSorted((a, b) => startOf(a.entry) - startOf(b.entry))
      .flatMap(({ entry, critical }) => segmentsOf(entry, critical));
    const before = host && firstStart > 0 ? [span('prepare', 0, firstStart, true)] : [];
    const after = host && report.stepSeconds !== undefined ? [span('step', stepStart, seconds, true)] : [];
    const all = [...before, ...work, ...after].filter(({ startSeconds, endSeconds }) => endSeconds > startSeconds);
    return {
      device,
      mark: seats.includes(device) ? markFor(seats, device) : null,
      name: room.devices.find(({ id }) => id === device)?.name ?? say.aDeviceThatLeft,
      host,
      segments: withWaits(all, stepStart),
      sends: sends.filter((one) => one.device === device).map(({ segment }) => segment),
      predictedEndSeconds: predictedEnd(plan, device, own[0]?.entry.startSeconds ?? 0),
      uploadBytes: own.reduce((sum, { entry }) => sum + entry.uploadBits / 8, 0),
    };
  });
  return { round: report.round, seconds, lanes, critical: latest === null ? null : report.devices[latest]!.device };
}

/** Those that did something, in the room's order, the host among them; then those that have left since. */
function order({ devices }: RoundReport, room: TimelineInput['room']): readonly string[] {
  const worked = new Set([...devices.map(({ device }) => device), room.host]);
  const here = room.devices.map(({ id }) => id).filter((id) => worked.has(id));
  return [...here, ...[...worked].filter((id) => !here.includes(id) && id !== room.host)];
}

const startOf = ({ startSeconds = 0 }: Entry): number => startSeconds;

const endOf = (entry: Entry): number => computedOf(entry) + entry.uploadSeconds;

/** When it had computed everything. A stage waits between its passes. */
const computedOf = ({ startSeconds = 0, downSeconds = 0, computeSeconds, passes = [] }: Entry): number =>
  Math.max(startSeconds + downSeconds + computeSeconds, ...passes.map((pass) => pass.startSeconds + pass.seconds));

function segmentsOf(entry: Entry, critical: boolean): readonly Segment[] {
  const { startSeconds = 0, downSeconds = 0, uploadSeconds, passes = [] } = entry;
  const begun = startSeconds + downSeconds;
  const computed = computedOf(entry);
  const work =
    passes.length === 0
      ? [span('compute', begun, computed, critical)]
      : passes.map(({ direction, microBatch, startSeconds: from, seconds }) => ({
          ...span(direction === 'up' ? 'forward' : 'backward', from, from + seconds, critical),
          microBatch,
        }));
  return [
    span('down', startSeconds, passes[0] === undefined ? begun : Math.min(begun, passes[0].startSeconds), critical),
    ...work,
    span('upload', computed, computed + uploadSeconds, critical),
  ];
}

/**
 * What stages sent each other: from the end of the pass that made it until it had come, by the receiver's word. Who is above whom is the
 * plan's; nothing is told of a round that other devices did, or in which one did the part of two.
 */
function sendsOf(
  devices: readonly Entry[],
  plan: RoomPlan | null,
): readonly { readonly device: string; readonly segment: Segment }[] {
  const staged = (plan?.assignments ?? []).flatMap(({ device, stage }) =>
    stage === undefined ? [] : [{ device, stage }],
  );
  const told = devices.filter(({ passes = [] }) => passes.length > 0);
  const isAsPlanned =
    told.length === staged.length && staged.every(({ device }) => told.some((entry) => entry.device === device));
  if (!isAsPlanned) return [];
  const entryOf = (pipeline: number, index: number): Entry | undefined => {
    const found = staged.find(({ stage }) => stage.pipeline === pipeline && stage.index === index);
    return told.find(({ device }) => device === found?.device);
  };
  return staged.flatMap(({ stage: { pipeline, index } }) =>
    (entryOf(pipeline, index)?.passes ?? []).flatMap(({ direction, microBatch, cameSeconds }) => {
      const sender = entryOf(pipeline, direction === 'up' ? index - 1 : index + 1);
      const made = sender?.passes?.find((pass) => pass.direction === direction && pass.microBatch === microBatch);
      if (sender === undefined || made === undefined || cameSeconds === undefined) return [];
      const madeSeconds = made.startSeconds + made.seconds;
      // Each end goes by its own device's clock: what came as it was made takes no time that can be told.
      const kind = direction === 'up' ? 'send-up' : 'send-down';
      const segment = { ...span(kind, madeSeconds, Math.max(madeSeconds, cameSeconds), false), microBatch };
      return [{ device: sender.device, segment }];
    }),
  );
}

const span = (kind: SegmentKind, startSeconds: number, endSeconds: number, critical: boolean): Segment => ({
  kind,
  startSeconds,
  endSeconds,
  microBatch: null,
  critical,
});

/** Shorter gaps are the clock's. */
const LEAST_WAIT = 1e-6;

/** What lies between what a device did, and from its end until everybody was done, it waited. */
function withWaits(segments: readonly Segment[], until: number): readonly Segment[] {
  const out: Segment[] = [];
  let at = 0;
  for (const segment of segments) {
    if (segment.startSeconds > at + LEAST_WAIT) out.push(span('wait', at, segment.startSeconds, false));
    out.push(segment);
    at = Math.max(at, segment.endSeconds);
  }
  if (until > at + LEAST_WAIT) out.push(span('wait', at, until, false));
  return out;
}

function predictedEnd(plan: RoomPlan | null, device: string, startSeconds: number): number | null {
  const assignment = plan?.assignments.find((one) => one.device === device);
  return assignment === undefined ? null : startSeconds + assignment.computeSeconds + assignment.uploadSeconds;
}

/** Rounds that can be looked back at. */
export const SHOWN_ROUNDS = 50;

/** The last rounds of which it is told who did what, oldest first; a latecomer was told less of earlier ones. */
export function toldRounds(rounds: readonly RoundReport[]): readonly RoundReport[] {
  return rounds.slice(-SHOWN_ROUNDS).filter(({ devices }) => devices.length > 0);
}

/** Seconds of a lane by what it did, each kind once, in the order in which they came. */
export function secondsByKind({
  segments,
  sends = [],
}: Pick<Lane, 'segments'> & Partial<Pick<Lane, 'sends'>>): readonly (readonly [SegmentKind, number])[] {
  const sums = new Map<SegmentKind, number>();
  for (const { kind, startSeconds, endSeconds } of [...segments, ...sends])
    sums.set(kind, (sums.get(kind) ?? 0) + endSeconds - startSeconds);
  return [...sums];
}
