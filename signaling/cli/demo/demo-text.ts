import type { RoundTraffic, SessionView } from '../../../web/session/view/view.ts';
import type { RoomAssignment, RoomPlan } from '../../protocol/plan.ts';
import type { RoomView, RoundReport, ScoreReport } from '../../protocol/room-view.ts';
import type { HiddenStates } from '../../protocol/split.ts';
import { forecast, totalSeconds } from '../../protocol/words/forecast.ts';
import { blocksText, countText } from '../../protocol/words/lists.ts';
import {
  constantText,
  errorText,
  examplesText,
  furtherTexts,
  metricName,
  scoreText,
} from '../../protocol/words/metrics.ts';
import { bytesText, rateText, secondsText, timeLeftText } from '../../protocol/words/quantities.ts';
import { togetherSentence } from '../../protocol/words/together.ts';
import { runText } from '../../protocol/words/units.ts';

/** What the demo says on the terminal, as functions of the session's view. */

const BAR_WIDTH = 24;

export function bar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.round((BAR_WIDTH * done) / total);
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

/** Who trains what, with the predicted seconds, and once there is a round the measured ones. */
export function planText(room: RoomView, plan: RoomPlan, last: RoundReport | undefined): string {
  const rows = room.devices
    .filter((device) => device.profile !== null)
    .map((device) => {
      const mine = plan.assignments.filter((a) => a.device === device.id);
      if (mine.length === 0) return [device.name, 'idle in this plan', '', ''];
      const predicted = Math.max(...mine.map((a) => a.computeSeconds + a.uploadSeconds));
      const measured = last?.devices.filter((d) => d.device === device.id) ?? [];
      const took = measured.reduce((sum, d) => Math.max(sum, d.computeSeconds + d.uploadSeconds), 0);
      const samples = mine.reduce((sum, a) => sum + a.samples.count, 0);
      return [
        device.name,
        mine.map((a) => partText(a, room)).join('; '),
        `${samples} samples`,
        `predicted ${secondsText(predicted)}${measured.length > 0 ? `, measured ${secondsText(took)}` : ''}`,
      ];
    });
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) => `    ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  const together = togetherSentence(plan, room.devices);
  return [planLine(plan), ...(together === null ? [] : [`  ${together}`]), ...lines].join('\n');
}

/** A stage is named by what it holds: one of the embeddings alone trains nothing and has work all the same. */
const partText = ({ stage, layers, head }: RoomAssignment, { settings }: RoomView): string =>
  stage === undefined ? blocksText(layers, head) : runText(stage, settings.shape.layers);

export function planLine(plan: RoomPlan): string {
  const gap = plan.lowerBoundSeconds > 0 ? plan.latencySeconds / plan.lowerBoundSeconds - 1 : 0;
  return `  Plan ${plan.version}, ${plan.policy}: a round in ${secondsText(plan.latencySeconds)} predicted (${(100 * gap).toFixed(0)} % above the lower bound). ${plan.explanation}`;
}

export function readyText(room: RoomView): string[] {
  return room.devices
    .filter((d) => d.profile !== null)
    .map(({ id, name, profile }) => {
      if (profile === null) return '';
      const s = profile.secondsPerSample;
      const link = id === room.host ? 'host' : `link ${rateText(profile.linkBitsPerSecond)}`;
      return `    ${name}: ${profile.backend}, layer forward ${(1e3 * s.forwardPerLayer).toFixed(2)} ms and backward ${(1e3 * s.backwardPerLayer).toFixed(2)} ms a sample, ${link}`;
    });
}

export function scoreLine(
  { round, metric, value, constant, loss, examples, error, elapsedSeconds, further = [] }: ScoreReport,
  devExamples: number,
): string {
  const beside = constantText(metric, constant);
  const known = error === undefined ? '' : ` ${errorText(metric, error)}`;
  const own = `${scoreText(metric, value)}${known} on ${examplesText(examples, devExamples)}${beside === null ? '' : ` (${beside})`}`;
  const measured = [own, ...furtherTexts(further)].join(', ');
  return `  Dev ${metricName(metric)} after ${countText(round, 'round', 'rounds')}: ${measured} (loss ${loss.toFixed(4)}, ${secondsText(elapsedSeconds)})`;
}

export function roundText(view: SessionView, sentBytes: number): string {
  const last = view.rounds.at(-1);
  const total = view.room?.settings.training.rounds ?? 0;
  const over = last?.round === total || view.room?.phase !== 'training';
  if (view.evaluation !== null && over) {
    const { done, total: examples } = view.evaluation;
    return `  ${bar(done, examples)} evaluating, ${done} of ${examples} dev examples`;
  }
  if (last === undefined) return `  ${bar(0, total)} round 0 of ${total}`;
  const seen = view.room === null ? null : forecast(view.room, view.rounds);
  const left = seen === null ? '' : `  ${timeLeftText(totalSeconds(seen))} left`;
  const predicted = view.room?.plan?.latencySeconds ?? 0;
  return `  ${bar(last.round, total)} round ${last.round} of ${total}  loss ${last.loss.toFixed(4)}  ${secondsText(last.elapsedSeconds)} (predicted ${secondsText(predicted)})  ${bytesText(sentBytes)} of gradients${left}`;
}

/** Bytes of hidden states and their gradients between stages; of messages, whose headers are a few hundred bytes each. */
export const hiddenBytes = ({ pairs }: RoundTraffic): number =>
  pairs.reduce((sum, { bytes, relayedBytes }) => sum + bytes + relayedBytes, 0);

/** What stages sent each other, and what rounding saved of it. */
export function trafficLine(traffic: RoundTraffic, codec: HiddenStates): string {
  const bytes = hiddenBytes(traffic);
  const saved = codec === 'f32' ? '' : `, in 16 bits: in 32 it would have been ${bytesText(2 * bytes)}`;
  return `  Between stages: ${bytesText(bytes)} of hidden states and their gradients${saved}.`;
}
