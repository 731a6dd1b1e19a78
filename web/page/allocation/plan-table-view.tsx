import { useMemo } from 'preact/hooks';
import { useShared } from '../parts/hooks.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import type { TableLine } from './plan-table.ts';

/** The plan as a table, for those who cannot see the picture, and for those who want figures. */
export function PlanTable({ lines: derived }: { lines: readonly TableLine[] }) {
  const lines = useShared(derived);
  return useMemo(() => table(lines), [lines]);
}

function table(lines: readonly TableLine[]) {
  const split = lines.some(({ holds }) => holds !== '');
  return (
    <details class="fold">
      <summary>The same as a table</summary>
      <ScrollFrame kind="table-frame" label="Plan as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Device</th>
              <th scope="col">Trains</th>
              <th scope="col">Gradient</th>
              {split && <th scope="col">Holds</th>}
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
                {split && <td>{line.holds}</td>}
                <td>{line.samples}</td>
                <td>{line.predicted}</td>
                <td>{line.measured}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollFrame>
    </details>
  );
}
