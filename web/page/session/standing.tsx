import { cutText } from '../../session/view/data-words.ts';
import { WITHOUT_KEY } from '../../session/view/resumed-words.ts';
import type { SessionView } from '../../session/view/view.ts';
import { ReadAs } from '../parts/read-as.tsx';
import { bestText, keptSentence } from './standing-words.ts';

/** What has been reached so far: best score, what is kept, what of the data was left out. */
export function Standing({ view }: { view: SessionView }) {
  const tables = view.data?.tables ?? [];
  const cut = view.data === null ? null : cutText(view.data.cutTexts);
  const best = bestText(view);
  const kept = keptSentence(view);
  const withoutKey = view.notices.some(({ sentence }) => sentence === WITHOUT_KEY);
  if (best === null && kept === null && tables.length === 0 && cut === null && !withoutKey) return null;
  return (
    <div class="standing">
      {withoutKey && <p>{WITHOUT_KEY}</p>}
      {best !== null && <p>{best}</p>}
      {kept !== null && <p>{kept}</p>}
      {tables.map((report) => (
        <ReadAs key={report.name} report={report} named />
      ))}
      {cut !== null && <p>{cut}</p>}
    </div>
  );
}
