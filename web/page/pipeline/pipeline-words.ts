import { capitalised, countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText, percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import { bubbleShare, type Pipelines, type Spare, type StageColumn } from './pipeline.ts';

/** "210 MB of 300 MB". */
export function memoryText({ memoryBytes, limitBytes }: Pick<StageColumn, 'memoryBytes' | 'limitBytes'>): string {
  return limitBytes === null ? bytesText(memoryBytes) : `${bytesText(memoryBytes)} of ${bytesText(limitBytes)}`;
}

export function stateText({ state, fetched }: Pick<StageColumn, 'state' | 'fetched'>): string {
  switch (state) {
    case 'holds':
      return 'holds it';
    case 'fetches':
      return fetched === null || fetched === 0 ? 'fetches it' : `fetches it, ${percentText(fetched)}`;
    case 'measures':
      return 'measures itself';
    case 'unlinked':
      return 'no link';
    case 'away':
      return 'away';
    case 'failed':
      return 'cannot go on';
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
    `${stage.name} has ${runText(stage.run, layers)}, ${memoryText(stage)}, ${stateText(stage)}`;
  const ways = byPipeline(stages).map((own, i, all) => {
    const through = `through ${countText(own.length, 'stage', 'stages')}: ${own.map(has).join('; ')}.`;
    if (all.length === 1) return `Samples go ${through}`;
    const samples = countText(own[0]!.samples.count, 'sample', 'samples');
    return i === 0 ? `Of each round ${samples} go ${through}` : `${capitalised(samples)} go ${through}`;
  });
  const standing = spares.length === 0 ? '' : ` ${countText(spares.length, 'device stands', 'devices stand')} by.`;
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
    return `${countText(ways.length, 'pipeline', 'pipelines')}, each with the whole model, share the samples of a round: ${listText(counts)}. Each sample goes up through the stages of one and its gradient comes down again; in ${secondsText(seconds)} a round, devices wait for each other ${percentText(share)} of the time.`;
  }
  return `No device here holds ${runText({ from: 0, to: layers + 2 }, layers)}. Each sample goes up through all stages and its gradient comes down again; in ${secondsText(seconds)} a round, ${countText(first.microBatches, 'micro-batch', 'micro-batches')} of it, stages wait for each other ${percentText(share)} of the time.`;
}

/** Whom a missing part of the model is waited for. */
export function fetchingSentence({ stages, layers }: Pipelines): string | null {
  const open = stages.filter(({ state }) => state !== 'holds');
  const [first] = open;
  if (first === undefined) return null;
  const others =
    open.length > 1 ? ` ${countText(open.length - 1, 'other stage is', 'other stages are')} not ready either.` : '';
  return `Rounds wait for ${first.name}, which ${first.state === 'fetches' ? 'fetches' : 'is to have'} ${runText(first.run, layers)}.${others}`;
}

/** "iPad (holds layers 0–2)". */
export const spareText = ({ name, holds }: Spare, layers: number): string =>
  holds === null ? name : `${name} (holds ${runText(holds, layers)})`;
