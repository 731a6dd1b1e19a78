import type { TablePreview } from '../../../worker/api/tables.ts';

/** Rows that are left out, by line and reason. */
interface BadRowsProps {
  readonly said: string;
  readonly count: number;
  /** The first of them. */
  readonly rows: TablePreview['badRows'];
}

export function BadRows({ said, count, rows }: BadRowsProps) {
  return (
    <details class="bad-rows">
      <summary>{said}</summary>
      <ul>
        {rows.map(({ line, reason }) => (
          <li key={line}>
            Line {line.toLocaleString('en-US')}: {reason}.
          </li>
        ))}
        {count > rows.length && <li>And {(count - rows.length).toLocaleString('en-US')} more.</li>}
      </ul>
    </details>
  );
}
