import { listText } from '../../../signaling/protocol/words/lists.ts';
import * as say from '../../words/watch/pipeline.ts';
import type { Pipelines } from './pipeline.ts';
import { PipelineLegend, PipelinePicture } from './pipeline-picture.tsx';
import { bubbleSentence, fetchingSentence, spareText } from './pipeline-words.ts';

/** A split model: the picture, and in sentences what it waits for, what waiting costs, and who stands by. */
export function SplitPicture({ split, running }: { split: Pipelines; running: boolean }) {
  const fetching = fetchingSentence(split);
  return (
    <>
      <PipelinePicture shown={split} running={running && fetching === null} />
      <PipelineLegend shown={split} />
      {fetching !== null && <p class="limit">{fetching}</p>}
      <p class="limit">{bubbleSentence(split)}</p>
      {split.spares.length > 0 && (
        <p class="limit">{say.standingBy(listText(split.spares.map((spare) => spareText(spare, split.layers))))}</p>
      )}
    </>
  );
}
