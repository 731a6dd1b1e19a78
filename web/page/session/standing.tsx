import { cutText } from '../../session/view/data-words.ts';
import { WITHOUT_KEY } from '../../session/view/resumed-words.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';
import { useAnother } from '../estimate/use-another.ts';
import { ReadAs } from '../parts/read-as.tsx';
import { bestText, keptSentence, timeSentences } from './standing-words.ts';

/** What has been reached so far: best score, what is kept, what of the data was left out. */
export function Standing({ view, plan }: { view: SessionView; plan: AskPlanner }) {
  const tables = view.data?.tables ?? [];
  const cut = view.data === null ? null : cutText(view.data.cutTexts);
  const best = bestText(view);
  const kept = keptSentence(view);
  const withoutKey = view.notices.some(({ sentence }) => sentence === WITHOUT_KEY);
  const time = timeSentences(view, useAnother(view, plan));
  const nothing = best === null && kept === null && time.length === 0 && tables.length === 0 && cut === null;
  if (nothing && !withoutKey) return null;
  return (
    <div class="standing">
      {withoutKey && <p>{WITHOUT_KEY}</p>}
      {time.map((sentence) => (
        <p key={sentence}>{unparted(sentence)}</p>
      ))}
      {best !== null && <p>{best}</p>}
      {kept !== null && <p>{kept}</p>}
      {tables.map((report) => (
        <ReadAs key={report.name} report={report} named />
      ))}
      {cut !== null && <p>{cut}</p>}
    </div>
  );
}

/** A number stays beside its sign. */
const unparted = (text: string): string => text.replaceAll(' %', '\u00a0%');
