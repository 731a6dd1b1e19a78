import { useMemo } from 'preact/hooks';
import type { SessionView } from '../session/view.ts';
import { cloth } from './cloth.ts';
import { ClothPicture } from './cloth.tsx';
import { ClothLegend } from './cloth-legend.tsx';
import { clothSentence, planTable } from './devices.ts';
import { limitSentences } from './headline.ts';
import type { Seats } from './marks.ts';
import { ScrollFrame } from './scroll-frame.tsx';

/** The plan three times: as a picture, in a sentence on what limits it, and as a table. */
export function Allocation({ view, seats }: { view: SessionView; seats: Seats }) {
  const { room, self, rounds, activity } = view;
  const picture = useMemo(
    () => (room === null ? null : cloth({ room, self, rounds, activity, seats })),
    [room, self, rounds, activity, seats],
  );
  if (room === null || picture === null) return null;
  const lines = planTable(room, rounds, seats);
  return (
    <section class="allocation" aria-labelledby="allocation-title">
      <h2 id="allocation-title">Who trains what</h2>
      <ClothPicture cloth={picture} sentence={clothSentence(room)} />
      <ClothLegend />
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
