import { capitalised, listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/timeline.ts';
import { type Lane, type SegmentKind, secondsByKind, type Timeline } from './timeline.ts';

/** What a stretch of a lane is called. */
export const KIND_WORDS: Readonly<Record<SegmentKind, string>> = {
  prepare: say.readingSamples,
  down: say.parametersDown,
  compute: 'computing',
  upload: say.gradientsUp,
  wait: 'waiting',
  step: say.mergeAndStep,
  forward: 'forward',
  backward: 'backward',
  'send-up': say.hiddenStatesUp,
  'send-down': say.gradientsDown,
};

/** "Pixel 8: parameters down 12 ms, computing 1.2 s, gradients up 0.13 s, waiting 0.4 s; 49 kB sent." */
export function laneSentence(lane: Lane): string {
  const kinds = secondsByKind(lane).map(([kind, seconds]) => `${KIND_WORDS[kind]} ${secondsText(seconds)}`);
  const sent = lane.uploadBytes > 0 ? say.sent(bytesText(lane.uploadBytes)) : '';
  const predicted = lane.predictedEndSeconds === null ? '' : say.predictedToEnd(secondsText(lane.predictedEndSeconds));
  return `${lane.name}: ${kinds.length === 0 ? say.nothingInThisRound : kinds.join(', ')}${sent}${predicted}.`;
}

/** What the round was as long as it was for: its longest way from beginning to end. */
export function criticalSentence({ lanes, critical, seconds, round }: Timeline): string {
  const lane = lanes.find(({ device }) => device === critical);
  const took = say.roundTook(round, secondsText(seconds));
  if (lane === undefined) return `${took}.`;
  const own = secondsByKind({
    segments: lane.segments.filter((one) => one.critical && one.kind !== 'step' && one.kind !== 'prepare'),
  });
  const step = lanes.flatMap(({ segments }) => segments).find(({ kind }) => kind === 'step');
  const parts = own.map(([kind, sum]) => `${secondsText(sum)} ${KIND_WORDS[kind]}`);
  const end = step === undefined ? '' : say.thenMergeAndStep(secondsText(step.endSeconds - step.startSeconds));
  return parts.length === 0 ? `${took}.` : say.decidedIt(took, capitalised(lane.name), listText(parts), end);
}
