import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import { EXAMPLE_ROOM } from './example-room.ts';

const EXAMPLE = cloth({
  room: EXAMPLE_ROOM,
  self: '',
  rounds: [],
  activity: null,
  seats: EXAMPLE_ROOM.devices.map((device) => device.id),
});

/** What a session looks like, before there is one. */
export function ExampleCloth() {
  return (
    <figure class="example">
      <ClothPicture
        cloth={EXAMPLE}
        sentence="The phone trains the head and layer 5, the tablet layers 3 and 4, the laptop layers 0 to 2."
      />
      <ClothLegend bare={false} />
      <figcaption>
        An example: three devices share six layers. The further down a block lies, the longer its gradient travels, so
        the fastest device takes the deepest ones. All together make the same update as one device alone would.
      </figcaption>
    </figure>
  );
}
