import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * Lays the runs of learning.ts and train.py beside each other: a row of docs/learning.md's table, and their loss curves as SVG.
 *
 *     npx tsx test/reference/learning-report.ts RUN --title SST-2 --svg docs/learning-sst2.svg
 */
const { values: option, positionals } = parseArgs({
  allowPositionals: true,
  options: { title: { type: 'string', default: '' }, svg: { type: 'string' } },
});
const [path = 'run'] = positionals;

interface Run {
  readonly losses: readonly number[];
  readonly scores: readonly { readonly round: number; readonly metric: string; readonly value: number }[];
  readonly seconds: number;
}
/** Drawn in this order: each line is thinner than the one below it, so that what coincides shows as stripes. */
const KINDS = [
  { name: 'torch', label: 'PyTorch', colour: '#f2c14e', width: 5 },
  { name: 'alone', label: 'one device', colour: '#2d7dd2', width: 2.4 },
  { name: 'together', label: 'three devices', colour: '#111', width: 0.8 },
] as const;
const runs = KINDS.filter(({ name }) => existsSync(`${path}.${name}.json`)).map((kind) => {
  const run: Run = JSON.parse(readFileSync(`${path}.${kind.name}.json`, 'utf8'));
  return { ...kind, ...run };
});

const EARLY = 200;
const together = runs.find(({ name }) => name === 'together');
for (const { label, name, losses, scores, seconds } of runs) {
  const { metric, value, round } = scores.at(-1)!;
  const apart = (upTo: number): string => {
    if (!together || name === 'together') return '';
    const differences = losses.slice(0, upTo).map((loss, i) => Math.abs(loss - together.losses[i]!));
    return Math.max(...differences).toExponential(1);
  };
  const first = scores[0]!.value;
  console.log(
    `| ${option.title} | ${label} | ${round} | ${metric} ${first.toFixed(4)} | ${value.toFixed(4)} | ${seconds.toFixed(0)} s | ${apart(EARLY)} | ${apart(losses.length)} |`,
  );
}
if (option.svg) writeFileSync(option.svg, picture());

function picture(): string {
  const height = 260;
  const panels = [
    { at: 50, width: 330, title: `loss of rounds 1 to ${Math.min(EARLY, rounds())}`, points: early },
    { at: 430, width: 330, title: 'all rounds, mean of 25', points: smooth },
  ];
  const body = panels.map(({ at, width, title, points }) => {
    const curves = runs.map((run) => ({ run, points: points(run.losses) }));
    const all = curves.flatMap((curve) => curve.points);
    const top = Math.max(...all.map(({ loss }) => loss));
    const bottom = Math.min(...all.map(({ loss }) => loss));
    const last = Math.max(...all.map(({ round }) => round));
    const x = (round: number) => (at + (width * round) / last).toFixed(1);
    const y = (loss: number) => (30 + (190 * (top - loss)) / (top - bottom || 1)).toFixed(1);
    const lines = curves.map(
      ({ run, points: of }) =>
        `<polyline fill="none" stroke="${run.colour}" stroke-width="${run.width}" points="${of.map(({ round, loss }) => `${x(round)},${y(loss)}`).join(' ')}"/>`,
    );
    const label = (px: number, py: number, text: string, anchor = 'middle') =>
      `<text x="${px}" y="${py}" text-anchor="${anchor}">${text}</text>`;
    return [
      label(at + width / 2, 18, title),
      `<path d="M${at} 30V220H${at + width}" fill="none" stroke="#888"/>`,
      label(at - 6, 34, top.toFixed(2), 'end'),
      label(at - 6, 222, bottom.toFixed(2), 'end'),
      label(at, 236, '1'),
      label(at + width, 236, `${last}`),
      ...lines,
    ].join('\n');
  });
  const legend = runs.map(
    ({ label, colour, width }, i) =>
      `<path d="M${200 + 150 * i} 250h30" stroke="${colour}" stroke-width="${width}"/><text x="${236 + 150 * i}" y="254">${label}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 ${height}" font-family="sans-serif" font-size="12">
<title>${option.title}: loss curves of ${runs.map(({ label }) => label).join(', ')}</title>
<rect width="780" height="${height}" fill="#fff"/>
${body.join('\n')}
${legend.join('\n')}
</svg>
`;
}

function rounds(): number {
  return Math.max(...runs.map(({ losses }) => losses.length));
}

interface Point {
  readonly round: number;
  readonly loss: number;
}

function early(losses: readonly number[]): readonly Point[] {
  return losses.slice(0, EARLY).map((loss, i) => ({ round: i + 1, loss }));
}

function smooth(losses: readonly number[]): readonly Point[] {
  const points: Point[] = [];
  for (let end = 25; end <= losses.length; end += 5) {
    const window = losses.slice(end - 25, end);
    points.push({ round: end, loss: window.reduce((a, b) => a + b, 0) / 25 });
  }
  return points;
}
