import { useMemo } from 'preact/hooks';
import * as say from '../../words/watch/allocation.ts';
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
      <summary>{say.theSameAsATable}</summary>
      <ScrollFrame kind="table-frame" label={say.planAsATable}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say.device}</th>
              <th scope="col">{say.trains}</th>
              <th scope="col">{say.gradient}</th>
              {split && <th scope="col">{say.holds}</th>}
              <th scope="col">{say.samples}</th>
              <th scope="col">{say.predicted}</th>
              <th scope="col">{say.measured}</th>
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
