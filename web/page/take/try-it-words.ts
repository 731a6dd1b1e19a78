import type { TaskSummary } from '../../../signaling/protocol/settings.ts';
import type { Prediction } from '../../session/view/view.ts';
import * as say from '../../words/take/take.ts';

/** What the fields of "Try it" are called, for one text or two. */
const TEXT_NAMES: Readonly<Record<string, readonly [string] | readonly [string, string]>> = {
  grammar: [say.aSentenceAboutAFilm],
  sst2: [say.aPhraseOfAFilm],
  cola: [say.aSentence],
  mrpc: [say.firstSentence, say.secondSentence],
  qqp: [say.firstQuestion, say.secondQuestion],
  stsb: [say.firstSentence, say.secondSentence],
  mnli: [say.premise, say.hypothesis],
  'mnli-mismatched': [say.premise, say.hypothesis],
  qnli: [say.question, say.sentence],
  rte: [say.firstSentence, say.secondSentence],
  wnli: [say.sentenceWithAPronoun, say.theSameWithAName],
};

export function textNames(task: Pick<TaskSummary, 'id'>, pairs: boolean): readonly string[] {
  return TEXT_NAMES[task.id] ?? (pairs ? [say.firstText, say.secondText] : [say.text]);
}

export interface PredictionLine {
  readonly name: string;
  /** 0 to 1. */
  readonly share: number;
  readonly text: string;
}

/** More classes than that are counted. */
const SHOWN_CLASSES = 6;

/** The most probable first; classes that are not shown make the last line together. */
export function predictionLines(prediction: Exclude<Prediction, { kind: 'value' }>): readonly PredictionLine[] {
  const all = prediction.probabilities.toSorted((a, b) => b.probability - a.probability);
  const shown = all.length > SHOWN_CLASSES + 1 ? all.slice(0, SHOWN_CLASSES) : all;
  const rest = all.slice(shown.length);
  const others = rest.reduce((sum, { probability }) => sum + probability, 0);
  const together = rest.length > 0 && prediction.kind === 'classes';
  return [...shown, ...(together ? [{ name: say.otherClasses(rest.length), probability: others }] : [])].map(
    ({ name, probability }) => ({ name, share: probability, text: probabilityText(probability) }),
  );
}

/** One decimal, and never more certain than the model: "99.9 %", "over 99.9 %", "under 0.1 %". */
export function probabilityText(probability: number): string {
  if (probability > 0.9995) return say.over999Percent;
  if (probability < 0.0005) return say.under01Percent;
  return `${(100 * probability).toFixed(1)} %`;
}

/** Whose answer it is: "The adapter after round 34 answered." */
export function answeredBy(round: number): string {
  return round === 0 ? say.answeredByTheAdapterBefore : say.answeredByTheAdapterAfter(round);
}
