import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import type { TableReport } from '../../../worker/api/tables.ts';
import {
  dialectText,
  encodingText,
  leftOutText,
  renamedText,
  rowsText,
  unreadableText,
} from '../../session/view/data-words.ts';

/** How a table was read: rows used and rows left out at once, reasons, lines, characters and quotes on request. */
export function ReadAs({ report, named = false }: { readonly report: TableReport; readonly named?: boolean }) {
  const lost = report.used < report.rows || report.unreadableBytes > 0;
  const encoding = encodingText(report);
  const renamed = renamedText(report);
  return (
    <details class={lost ? 'read-as read-as-lossy' : 'read-as'}>
      <summary>
        {named ? `${report.name}: ${rowsText(report)}` : rowsText(report)}
        {report.unreadableBytes > 0 && ` ${unreadableText(report)}`}
      </summary>
      <ul>
        {report.leftOut.map((one) => (
          <li key={one.reason}>{leftOutText(one, report.format)}</li>
        ))}
        {renamed !== null && <li>{renamed}</li>}
        <li>{capitalised(dialectText(report))}.</li>
        {encoding !== null && <li>{encoding}.</li>}
      </ul>
    </details>
  );
}
