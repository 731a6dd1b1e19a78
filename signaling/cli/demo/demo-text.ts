import type { SessionView } from '../../../web/session/view/view.ts';
import type { RoomPlan } from '../../protocol/plan.ts';
import type { RoomView, RoundReport, ScoreReport } from '../../protocol/room-view.ts';

/** What the demo says on the terminal, as functions of the session's view. */

const BAR_WIDTH = 24;

export function bar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.round((BAR_WIDTH * done) / total);
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function bytes(count: number): string {
  if (count < 1e6) return `${(count / 1e3).toFixed(0)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

const seconds = (value: number): string => (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`);

/** 0, 1, 4 and 5 as "0-1, 4-5". */
export function runs(layers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < layers.length; ) {
    let end = i;
    while (layers[end + 1] === layers[end] + 1) end++;
    parts.push(end === i ? `${layers[i]}` : `${layers[i]}-${layers[end]}`);
    i = end + 1;
  }
  return parts.join(', ');
}

function blocksText(layers: readonly number[], head: boolean): string {
  const parts = layers.length === 0 ? [] : [`${layers.length === 1 ? 'layer' : 'layers'} ${runs(layers)}`];
  return [...parts, ...(head ? ['head'] : [])].join(' + ') || 'nothing';
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
        `predicted ${seconds(predicted)}${measured.length > 0 ? `, measured ${seconds(took)}` : ''}`,
      ];
    });
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) => `    ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  return [planLine(plan), ...lines].join('\n');
}

export function planLine(plan: RoomPlan): string {
  const gap = plan.lowerBoundSeconds > 0 ? plan.latencySeconds / plan.lowerBoundSeconds - 1 : 0;
  return `  Plan ${plan.version}, ${plan.policy}: a round in ${seconds(plan.latencySeconds)} predicted (${(100 * gap).toFixed(0)} % above the lower bound). ${plan.explanation}`;
}

export function readyText(room: RoomView): string[] {
  return room.devices
    .filter((d) => d.profile !== null)
    .map(({ id, name, profile }) => {
      if (profile === null) return '';
      const s = profile.secondsPerSample;
      const link = id === room.host ? 'host' : `link ${(profile.linkBitsPerSecond / 1e6).toFixed(0)} Mbit/s`;
      return `    ${name}: ${profile.backend}, layer forward ${(1e3 * s.forwardPerLayer).toFixed(2)} ms and backward ${(1e3 * s.backwardPerLayer).toFixed(2)} ms a sample, ${link}`;
    });
}

export function scoreText({ round, metric, value, loss, elapsedSeconds, further = [] }: ScoreReport): string {
  const others = further.map((entry) => `, ${entry.metric} ${metricText(entry.metric, entry.value)}`).join('');
  return `  Dev ${metric} after ${round} rounds: ${metricText(metric, value)}${others} (loss ${loss.toFixed(4)}, ${seconds(elapsedSeconds)})`;
}

/** Shares in per cent, correlations as they are. */
export const metricText = (metric: string, value: number): string =>
  /^(accuracy|f1)\b/.test(metric) ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);

export function roundText(view: SessionView, sentBytes: number, trainedSeconds: number): string {
  const last = view.rounds.at(-1);
  const total = view.room?.settings.training.rounds ?? 0;
  if (view.evaluation !== null) {
    const { done, total: examples } = view.evaluation;
    return `  ${bar(done, examples)} evaluating, ${done} of ${examples} dev examples`;
  }
  if (last === undefined) return `  ${bar(0, total)} round 0 of ${total}`;
  const pace = trainedSeconds / last.round;
  const left = duration(pace * (total - last.round));
  const predicted = view.room?.plan?.latencySeconds ?? 0;
  return `  ${bar(last.round, total)} round ${last.round} of ${total}  loss ${last.loss.toFixed(4)}  ${seconds(last.elapsedSeconds)} (predicted ${seconds(predicted)})  ${bytes(sentBytes)} of gradients  ${left} left`;
}
