import { useMemo } from 'preact/hooks';
import type { SessionView } from '../../session/view/view.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import type { Seats } from '../cloth/marks.ts';
import { clothSentence, planTable } from '../cloth/plan-table.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import { limitSentences } from './headline.ts';

/** The plan three times: as a picture, in a sentence on what limits it, and as a table. */
export function AllocationSection({ view, seats, late }: { view: SessionView; seats: Seats; late: readonly string[] }) {
  const { room, self, rounds, activity } = view;
  const picture = useMemo(
    () => (room === null ? null : cloth({ room, self, rounds, activity, seats, late })),
    [room, self, rounds, activity, seats, late],
  );
  if (room === null || picture === null) return null;
  const lines = planTable(room, rounds, seats);
  return (
    <section class="allocation" aria-labelledby="allocation-title">
      <h2 id="allocation-title">Who trains what</h2>
      <ClothPicture cloth={picture} sentence={clothSentence(room)} />
      <ClothLegend bare={picture.rows.some((row) => row.bare)} />
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
