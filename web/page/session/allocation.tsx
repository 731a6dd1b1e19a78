import { useMemo } from 'preact/hooks';
import type { SessionView } from '../../session/view/view.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import type { Seats } from '../cloth/marks.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import { pipelines } from '../pipeline/pipeline.ts';
import { SplitPicture } from '../pipeline/split-picture.tsx';
import { limitSentences } from './headline.ts';
import { clothSentence, planTable } from './plan-table.ts';

/** The plan three times: as a picture, in a sentence on what limits it, and as a table. */
export function AllocationSection({ view, seats, late }: { view: SessionView; seats: Seats; late: readonly string[] }) {
  const { room, self, rounds, activity } = view;
  const picture = useMemo(
    () => (room === null ? null : cloth({ room, self, rounds, activity, seats, late })),
    [room, self, rounds, activity, seats, late],
  );
  const split = useMemo(
    () => (room === null ? null : pipelines({ room, self, seats, late })),
    [room, self, seats, late],
  );
  if (room === null || picture === null) return null;
  const lines = planTable(room, rounds, seats);
  return (
    <section class="allocation" aria-labelledby="allocation-title">
      <h2 id="allocation-title">{split === null ? 'Who trains what' : 'Who has which part of the model'}</h2>
      {split === null ? (
        <>
          <ClothPicture cloth={picture} sentence={clothSentence(room)} />
          <ClothLegend bare={picture.rows.some((row) => row.bare)} />
        </>
      ) : (
        <SplitPicture split={split} running={room.phase === 'training' && view.ended === null} />
      )}
      {limitSentences(view, room).map((sentence) => (
        <p key={sentence} class="limit">
          {sentence}
        </p>
      ))}
      {lines.length > 0 && (
        <details class="fold">
          <summary>The same as a table</summary>
          <ScrollFrame kind="table-frame" label="Plan as a table">
            <table>
              <thead>
                <tr>
                  <th scope="col">Device</th>
                  <th scope="col">Trains</th>
                  <th scope="col">Gradient</th>
                  {split !== null && <th scope="col">Holds</th>}
                  <th scope="col">Samples</th>
                  <th scope="col">Predicted</th>
                  <th scope="col">Measured</th>
                </tr>
              </thead>
              <tbody>
                {lines.map((line) => (
                  <tr key={line.device}>
                    <th scope="row">
                      {line.letter} {line.name}
                    </th>
                    <td>{line.blocks}</td>
                    <td>{line.reach}</td>
                    {split !== null && <td>{line.holds}</td>}
                    <td>{line.samples}</td>
                    <td>{line.predicted}</td>
                    <td>{line.measured}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollFrame>
        </details>
      )}
    </section>
  );
}
