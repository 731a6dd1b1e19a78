import { useMemo, useState } from 'preact/hooks';
import * as say from '../../words/start/example.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import { EXAMPLES } from './example-room.ts';

/** What a session looks like, before there is one: of a small model, and of one that is shared in another way. */
export function ExampleCloth() {
  const [shown, setShown] = useState<0 | 1>(0);
  const { room, sentence, caption } = EXAMPLES[shown];
  const picture = useMemo(
    () => cloth({ room, self: '', rounds: [], activity: null, seats: room.devices.map(({ id }) => id) }),
    [room],
  );
  return (
    <figure class="example">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend */}
      <div class="buttons example-choice" role="group" aria-label={say.twoExamples}>
        {([0, 1] as const).map((which) => (
          <button key={which} type="button" aria-pressed={shown === which} onClick={() => setShown(which)}>
            {EXAMPLES[which].label}
          </button>
        ))}
      </div>
      <ClothPicture cloth={picture} sentence={sentence} />
      <ClothLegend bare={false} />
      <figcaption aria-live="polite">{caption}</figcaption>
    </figure>
  );
}
