import { countText } from '../../../signaling/protocol/words/lists.ts';
import type { DevReport, Mistake } from '../../../worker/api/report.ts';
import { probabilityText } from './try-it-words.ts';

export const shareText = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** "After round 60, 72 of 500 dev examples are answered wrong." */
export function wrongSentence({ round, examples, wrong, classes }: DevReport): string {
  const when = round === 0 ? 'Before training' : `After ${countText(round, 'round', 'rounds')}`;
  const of = `${examples.toLocaleString('en-US')} dev examples`;
  if (classes.length === 0) return `${when}, on ${of}: those that are furthest off come first.`;
  return wrong === 0
    ? `${when}, all ${of} are answered right.`
    : `${when}, ${wrong.toLocaleString('en-US')} of ${of} ${wrong === 1 ? 'is' : 'are'} answered wrong.`;
}

/** "Label: positive. Answer: negative; positive was given 3.1 %." */
export function mistakeText({ label, answer, probability }: Mistake): string {
  const none = (text: string) => (text === '' ? 'none' : text);
  const given = probability === null ? '' : `; ${none(label)} was given ${probabilityText(probability)}`;
  return `Label: ${none(label)}. Answer: ${none(answer)}${given}.`;
}
