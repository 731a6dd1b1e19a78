import { countText } from '../../../signaling/protocol/words/lists.ts';
import type { DevReport, Mistake } from '../../../worker/api/report.ts';
import * as say from '../../words/take/take.ts';
import { probabilityText } from './try-it-words.ts';

export const shareText = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** "After round 60, 72 of 500 dev examples are answered wrong." */
export function wrongSentence({ round, examples, wrong, classes }: DevReport): string {
  const when = round === 0 ? say.beforeTraining : say.after(countText(round, say.round, say.rounds));
  const of = say.devExamples(examples.toLocaleString('en-US'));
  if (classes.length === 0) return say.onThoseThatAreFurthest(when, of);
  return wrong === 0
    ? say.allAreAnsweredRight(when, of)
    : say.ofAnsweredWrong(when, wrong.toLocaleString('en-US'), of, wrong === 1 ? 'is' : 'are');
}

/** "Label: positive. Answer: negative; positive was given 3.1 %." */
export function mistakeText({ label, answer, probability }: Mistake): string {
  const none = (text: string) => (text === '' ? 'none' : text);
  const given = probability === null ? '' : say.wasGiven(none(label), probabilityText(probability));
  return say.labelAnswer(none(label), none(answer), given);
}
