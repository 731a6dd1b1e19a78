import { capitalised, countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText, percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import * as say from '../../words/watch/pipeline.ts';
import { bubbleShare, type Pipelines, type Spare, type StageColumn } from './pipeline.ts';

/** "210 MB of 300 MB". */
export function memoryText({ memoryBytes, limitBytes }: Pick<StageColumn, 'memoryBytes' | 'limitBytes'>): string {
  return limitBytes === null ? bytesText(memoryBytes) : say.ofWord(bytesText(memoryBytes), bytesText(limitBytes));
}

export function stateText({ state, fetched }: Pick<StageColumn, 'state' | 'fetched'>): string {
  switch (state) {
    case 'holds':
      return say.holdsIt;
    case 'fetches':
      return fetched === null || fetched === 0 ? say.fetchesIt : say.fetchesItWithFetched(percentText(fetched));
    case 'measures':
      return say.measuresItself;
    case 'unlinked':
      return say.noLink;
    case 'away':
      return 'away';
    case 'failed':
      return say.cannotGo;
    default:
      return state satisfies never;
  }
}

/** Stages of each pipeline, which take parts of the samples. */
function byPipeline(stages: readonly StageColumn[]): readonly (readonly StageColumn[])[] {
  return [...new Set(stages.map(({ pipeline }) => pipeline))].map((pipeline) =>
    stages.filter((stage) => stage.pipeline === pipeline),
  );
}

/** The picture in one breath, for those who do not see it. */
export function pipelineSentence({ stages, layers, spares }: Pipelines): string {
  const has = (stage: StageColumn) =>
    say.has(stage.name, runText(stage.run, layers), memoryText(stage), stateText(stage));
  const ways = byPipeline(stages).map((own, i, all) => {
    const through = say.through(countText(own.length, say.stage, say.stages), own.map(has).join('; '));
    if (all.length === 1) return say.samplesGo(through);
    const samples = countText(own[0]!.samples.count, say.sample, say.samples);
    return i === 0 ? say.ofEachRoundGo(samples, through) : say.go(capitalised(samples), through);
  });
  const standing = spares.length === 0 ? '' : say.by(countText(spares.length, say.deviceStands, say.devicesStand));
  return `${ways.join(' ')}${standing}`;
}

/** What of the round goes by in waiting, and why it is worth it. */
export function bubbleSentence(shown: Pipelines): string {
  const { stages, seconds, layers } = shown;
  const first = stages[0];
  if (first === undefined) return '';
  const share = bubbleShare(shown);
  const ways = byPipeline(stages);
  if (ways.length > 1) {
    const counts = ways.map(([one]) => String(one!.samples.count));
    return say.eachWithTheWholeModel(
      countText(ways.length, say.pipeline, say.pipelines),
      listText(counts),
      secondsText(seconds),
      percentText(share),
    );
  }
  return say.noDeviceHereHoldsEach(
    runText({ from: 0, to: layers + 2 }, layers),
    secondsText(seconds),
    countText(first.microBatches, say.microBatch, say.microBatches),
    percentText(share),
  );
}

/** Whom a missing part of the model is waited for. */
export function fetchingSentence({ stages, layers }: Pipelines): string | null {
  const open = stages.filter(({ state }) => state !== 'holds');
  const [first] = open;
  if (first === undefined) return null;
  const others = open.length > 1 ? say.notReadyEither(countText(open.length - 1, say.otherStage, say.otherStages)) : '';
  return say.roundsWait(
    first.name,
    first.state === 'fetches' ? 'fetches' : say.isToHave,
    runText(first.run, layers),
    others,
  );
}

/** "iPad (holds layers 0–2)". */
export const spareText = ({ name, holds }: Spare, layers: number): string =>
  holds === null ? name : say.holds(name, runText(holds, layers));
