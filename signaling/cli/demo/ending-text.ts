import type { ExportForm } from '../../../worker/api/host-api.ts';
import type { Stop } from '../../node/stopping.ts';
import { visibleLines } from '../../protocol/text/visible.ts';
import { countText, listText } from '../../protocol/words/lists.ts';
import type { DemoResult, UnfinishedError } from './demo-session.ts';

/** What a demo that ended before its end says: why, what is left, and how to go on. */

export const EXPORTED: Readonly<Record<ExportForm, string>> = {
  adapter: 'the adapter',
  merged: 'the merged model',
  onnx: 'the ONNX model',
};

export const stoppedText = ({ error }: Stop): string =>
  error === null ? 'Stopped.' : `Stopped by a fault of this program: ${visibleLines(error.stack ?? error.message)}\n `;

/** What of the rounds is on disk, after a sentence that says why no more are trained; empty where there was none to lose. */
export function keptText(
  { trainedRounds, keptRound }: Pick<UnfinishedError, 'trainedRounds' | 'keptRound'>,
  file: string,
  again: string,
): string {
  if (trainedRounds === 0) return '';
  const trained = countText(trainedRounds, 'round', 'rounds');
  if (keptRound === null) return ` ${trained} had been trained, and nothing of them could be kept in ${file}.`;
  const upTo = keptRound === trainedRounds ? `The ${trained} so far are` : `The first ${keptRound} of ${trained} are`;
  return ` ${upTo} in ${file}. Go on with: ${again}`;
}

/** What was asked for and is not there. */
export function missingText(result: DemoResult, folder: string, file: string, again: string): string {
  const { missing, delivered } = result;
  const what = listText(missing.map(({ form }) => EXPORTED[form]));
  const why = missing.map(({ sentence }) => sentence.replace(/\.$/, '')).join('; ');
  const rounds = { trainedRounds: result.rounds.at(-1)?.round ?? 0, keptRound: result.keptRound };
  const there = delivered.length === 0 ? '' : ` In ${folder}: ${listText(delivered.map((form) => EXPORTED[form]))}.`;
  return `Missing: ${what} (${why}).${there}${keptText(rounds, file, again)}`;
}
