import { useEffect, useState } from 'preact/hooks';
import type { Past } from '../../tab/memory/crumb.ts';
import { lookBack } from '../../tab/memory/crumbs.ts';
import { type Missing, whatIsMissing } from '../../tab/what-is-missing.ts';
import { lastEndSentence } from './last-end-words.ts';
import { missingWords } from './missing-words.ts';

/** What this browser keeps from the page, where that costs something, what became of the page before, and what to do about it. */
export function MissingNote({ addresses }: { addresses: readonly string[] }) {
  const [missing, setMissing] = useState<Missing | null>(null);
  const [past, setPast] = useState<Past | null>(null);
  useEffect(() => {
    let over = false;
    void whatIsMissing().then((found) => !over && setMissing(found));
    void lookBack().then((found) => !over && setPast(found));
    return () => {
      over = true;
    };
  }, []);
  const words = missing && missingWords(missing, addresses, location.href);
  const end = past && lastEndSentence(past);
  return (
    <>
      {words !== null && (
        <p class="missing" role="note">
          {words.lost} {words.link !== null && <a href={words.link.href}>{words.link.text}</a>}
          {words.link !== null && '.'}
          {words.step}
        </p>
      )}
      {end !== null && (
        <p class="missing" role="note">
          {end}
        </p>
      )}
    </>
  );
}
