import { schedule } from '../../../signaling/protocol/pipeline/schedule.ts';
import type { StageTimes } from '../../../signaling/protocol/pipeline/stages.ts';
import type { RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { RoundPasses } from '../../../web/session/view/view.ts';

/**
 * A round of a split room in lines: what the plan foresaw and what each stage says that its passes took; and when they would have been
 * over by the schedule, had each taken what it did and had nothing else been at the same processor.
 */
export function stageLines(room: RoomView, { round, stages }: RoundPasses, rounds: readonly RoundReport[]): string[] {
  const { plan } = room;
  if (plan === null) return [];
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const measured = [...stages].sort((a, b) => a.index - b.index);
  const lines = measured.flatMap(({ device, index, passes }) => {
    const own = plan.assignments.find(({ stage }) => stage?.index === index);
    const seconds = (direction: string): number =>
      sum(passes.filter((pass) => pass.direction === direction).map((pass) => pass.seconds));
    if (own?.stage === undefined) return [];
    const { from, to, window } = own.stage;
    const name = room.devices.find(({ id }) => id === device)?.name ?? device;
    const [up, down] = [seconds('up'), seconds('down')];
    const took = `${(up + down).toFixed(2)} s (${up.toFixed(2)} up, ${down.toFixed(2)} down)`;
    return [
      `  round ${round}, ${name}: units ${from} to ${to - 1}, window ${window}, ${(own.memoryBytes / 1e6).toFixed(0)} MB; predicted ${own.computeSeconds.toFixed(2)} s, took ${took}`,
    ];
  });
  const report = rounds.find((one) => one.round === round);
  const times = timesOf(measured, plan.assignments);
  if (times !== null) {
    const alone = schedule(times).seconds;
    const waited = report === undefined ? '' : `; it took ${report.elapsedSeconds.toFixed(2)} s here`;
    lines.push(
      `  round ${round}: predicted ${plan.latencySeconds.toFixed(2)} s; the schedule of these passes, a core for each stage: ${alone.toFixed(2)} s${waited}`,
    );
    lines.push(`  round ${round}: passes in the order of the schedule: ${inOrder(measured, times) ? 'yes' : 'no'}`);
  }
  return lines;
}

type Stages = RoundPasses['stages'];

/** The measured passes as the schedule's durations, messages left out. Null where some are not known. */
function timesOf(stages: Stages, assignments: NonNullable<RoomView['plan']>['assignments']): StageTimes[] | null {
  const times = stages.flatMap(({ index, passes }): StageTimes[] => {
    const stage = assignments.find((own) => own.stage?.index === index)?.stage;
    if (stage === undefined) return [];
    const of = (direction: string): number[] =>
      passes
        .filter((pass) => pass.direction === direction)
        .sort((a, b) => a.microBatch - b.microBatch)
        .map((pass) => pass.seconds);
    const [forwardSeconds, backwardSeconds] = [of('up'), of('down')];
    if (forwardSeconds.length < stage.microBatches) return [];
    const nothing = forwardSeconds.map(() => 0);
    return [
      {
        forwardSeconds,
        backwardSeconds,
        upSeconds: nothing,
        downSeconds: backwardSeconds.length > 0 && index > 0 ? nothing : null,
        lagSeconds: 0,
        gradientSeconds: null,
        window: stage.window,
      },
    ];
  });
  return times.length === stages.length && times.length > 0 ? times : null;
}

/** Whether every stage did its passes in the schedule's order, and none before what it needs had been made. */
function inOrder(stages: Stages, times: readonly StageTimes[]): boolean {
  const planned = schedule(times).stages;
  return stages.every(({ passes }, s) => {
    const spans = planned[s];
    if (spans === undefined) return false;
    const wanted = [
      ...spans.forward.map((span, j) => ({ at: span.startSeconds, key: `up ${j}` })),
      ...spans.backward.map((span, j) => ({ at: span.startSeconds, key: `down ${j}` })),
    ].sort((a, b) => a.at - b.at);
    return (
      passes.map(({ direction, microBatch }) => `${direction} ${microBatch}`).join() ===
      wanted.map(({ key }) => key).join()
    );
  });
}
