import type { SessionView } from '../../../web/session/view/view.ts';
import type { RoomPlan } from '../../protocol/plan.ts';
import type { RoomView, RoundReport, ScoreReport } from '../../protocol/room-view.ts';
import { blocksText, countText } from '../../protocol/words/lists.ts';
import { constantText, furtherTexts, metricName, scoreText } from '../../protocol/words/metrics.ts';
import { bytesText, rateText, secondsText, timeLeftText } from '../../protocol/words/quantities.ts';

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
        mine.map((a) => blocksText(a.layers, a.head)).join('; '),
        `${samples} samples`,
        `predicted ${secondsText(predicted)}${measured.length > 0 ? `, measured ${secondsText(took)}` : ''}`,
      ];
    });
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) => `    ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  return [planLine(plan), ...lines].join('\n');
}

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

export function scoreLine({ round, metric, value, constant, loss, elapsedSeconds, further = [] }: ScoreReport): string {
  const beside = constantText(metric, constant);
  const own = `${scoreText(metric, value)}${beside === null ? '' : ` (${beside})`}`;
  const measured = [own, ...furtherTexts(further)].join(', ');
  return `  Dev ${metricName(metric)} after ${countText(round, 'round', 'rounds')}: ${measured} (loss ${loss.toFixed(4)}, ${secondsText(elapsedSeconds)})`;
}

export function roundText(view: SessionView, sentBytes: number, trainedSeconds: number): string {
  const last = view.rounds.at(-1);
  const total = view.room?.settings.training.rounds ?? 0;
  if (view.evaluation !== null) {
    const { done, total: examples } = view.evaluation;
    return `  ${bar(done, examples)} evaluating, ${done} of ${examples} dev examples`;
  }
  if (last === undefined) return `  ${bar(0, total)} round 0 of ${total}`;
  const pace = trainedSeconds / last.round;
  const left = timeLeftText(pace * (total - last.round));
  const predicted = view.room?.plan?.latencySeconds ?? 0;
  return `  ${bar(last.round, total)} round ${last.round} of ${total}  loss ${last.loss.toFixed(4)}  ${secondsText(last.elapsedSeconds)} (predicted ${secondsText(predicted)})  ${bytesText(sentBytes)} of gradients  ${left} left`;
}
