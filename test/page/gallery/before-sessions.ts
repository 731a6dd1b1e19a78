import type { Look } from '../../../signaling/protocol/door.ts';
import type { ModelShape, ModelSource } from '../../../signaling/protocol/settings.ts';
import { predictionOf } from '../../../web/session/view/class-probabilities.ts';
import type { KeptSession, SessionView, TriedText } from '../../../web/session/view/view.ts';
import type { KeptModel, Preflight } from '../../../worker/api/host-api.ts';
import type { DevReport } from '../../../worker/api/report.ts';
import { seeded } from './scenarios.ts';

/** What hub, browser and model would answer, without any of them: everything from what was asked, but for how long ago. */

const shape = (layers: number, hiddenSize: number): ModelShape => ({
  layers,
  hiddenSize,
  heads: hiddenSize / 64,
  ffnSize: 4 * hiddenSize,
  vocabSize: 50_265,
  maxPositions: 514,
  layerNormEps: 1e-5,
  padTokenId: 1,
});

export function preflightOf({ id }: ModelSource): Preflight {
  const large = id.includes('large');
  if (!id.includes('roberta')) throw new Error(`The hub has no model "${id}"; check the repository’s name.`);
  const memoryBytes = large ? { f32: 1.62e9, f16: 0.9e9, int8: 0.55e9 } : { f32: 0.58e9, f16: 0.33e9, int8: 0.21e9 };
  const totalBytes = large ? 1.43e9 : 0.5e9;
  const cachedBytes = large ? 0.31e9 : 0;
  return {
    name: id,
    shape: large ? shape(24, 1024) : shape(12, 768),
    totalBytes,
    cachedBytes,
    downloadBytes: totalBytes - cachedBytes,
    memoryBytes,
    activations: { tokens: 128, perToken: 4 * (13 * 8448 + 13_824), perTokenSquared: 4 * 192 },
    memoryLimitBytes: 1.5e9,
    fits: large ? 'f16' : 'f32',
    sentence: '',
    tokenizer: {
      sentence:
        "Its tokenizer is byte-level BPE with 8,192 tokens; token ids are exactly those of Hugging Face's tokenizers.",
      usable: true,
    },
  };
}

const HOUR_MS = 3_600_000;

export const KEPT_SESSIONS: readonly KeptSession[] = [
  ['SST-2: sentiment of film reviews, roberta-mini', 'Linen Shuttle', 340, 1000, 0.2, 2.4e6],
  [
    'MNLI: does one sentence follow from another (matched dev set), FacebookAI/roberta-base',
    'Studio',
    700,
    2000,
    30,
    14.6e6,
  ],
  ['Sentiment of generated film sentences, roberta-mini', 'Linen Shuttle', 60, 60, 75, 2.4e6],
  ['film reviews, roberta-mini', 'Velvet Needle', 12, 300, 400, 3.1e6],
].map(([title, deviceName, round, rounds, hours, bytes], i) => ({
  id: `kept${i}`,
  title: String(title),
  deviceName: String(deviceName),
  round: Number(round),
  rounds: Number(rounds),
  keptAtMs: Date.now() - HOUR_MS * Number(hours),
  bytes: Number(bytes),
}));

export const KEPT_MODELS: readonly KeptModel[] = [
  { name: 'FacebookAI/roberta-base', bytes: 501e6 },
  { name: 'roberta-mini', bytes: 4.6e6 },
];

/** Logits drawn from the text itself. */
export function answerOf(view: SessionView, text: string): TriedText {
  const { task } = view.room!.settings;
  const random = seeded([...text].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 7) >>> 0);
  const logits = Float32Array.from({ length: task.labelCount }, () => 4 * random());
  const round = view.rounds.at(-1)?.round ?? 0;
  const before =
    round === 0
      ? null
      : predictionOf(
          task,
          logits.map((logit) => logit / 8),
        );
  return { prediction: predictionOf(task, logits), round, before };
}

/** A report whose numbers fit each other: of each class three in four are right, the rest are taken for the next class. */
export function reportOf(view: SessionView): DevReport {
  const { classNames, devExamples } = view.room!.settings.task;
  const each = Math.floor(devExamples / Math.max(1, classNames.length));
  const wrong = Math.floor(each / 4);
  const count = classNames.length;
  return {
    round: view.rounds.at(-1)?.round ?? 0,
    examples: devExamples,
    wrong: wrong * count,
    classes: classNames.map((name) => ({ name, precision: 0.75, recall: 0.75, f1: 0.75, examples: each })),
    confusion: classNames.map((_, row) =>
      classNames.map((__, column) => (row === column ? each - wrong : column === (row + 1) % count ? wrong : 0)),
    ),
    mistakes: [
      {
        text: 'A slow film, and all the better for it.',
        pair: view.pairs === true ? 'The film is slow.' : null,
        label: classNames.at(-1) ?? '4.2',
        answer: classNames[0] ?? '1.3',
        probability: classNames.length > 0 ? 0.031 : null,
      },
    ],
  };
}

const look: Look = {
  door: 'link',
  pass: 'right',
  title: 'Sentiment of generated film sentences',
  ownTable: false,
  model: 'roberta-mini',
  hostName: 'Linen Shuttle',
  hostAway: false,
  devices: 3,
  cap: 64,
  downloadBytes: 9_137_000,
};

/** What is seen of a session from outside. */
export const LOOKS: Readonly<Record<string, Look | Error>> = {
  'look-link': look,
  'look-code': { ...look, pass: 'none' },
  'look-wrong': { ...look, pass: 'wrong', hostAway: true, devices: 1 },
  'look-ask': {
    ...look,
    door: 'ask',
    ownTable: true,
    title: 'Complaints to the city of Donaudampfschifffahrtsgesellschaft, 2019 to 2025',
    model: 'FacebookAI/roberta-base',
    hostName: 'Studio 54',
    downloadBytes: 501_000_000,
  },
  'look-locked': { ...look, door: 'locked' },
  'look-full': { ...look, devices: 12, cap: 12 },
  'look-gone': new Error('There is no session with the code abc234. Check the code, or ask the host for a new link.'),
};
