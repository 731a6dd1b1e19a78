import { useEffect, useState } from 'preact/hooks';
import { type Missing, whatIsMissing } from '../../tab/what-is-missing.ts';
import { missingWords } from './missing-words.ts';

/** What this browser keeps from the page, where that costs something, and what to do about it. */
export function MissingNote({ addresses }: { addresses: readonly string[] }) {
  const [missing, setMissing] = useState<Missing | null>(null);
  useEffect(() => {
    let over = false;
    void whatIsMissing().then((found) => !over && setMissing(found));
    return () => {
      over = true;
    };
  }, []);
  const words = missing && missingWords(missing, addresses, location.href);
  if (words === null) return null;
  return (
    <p class="missing" role="note">
      {words.lost} {words.link !== null && <a href={words.link.href}>{words.link.text}</a>}
      {words.link !== null && '.'}
      {words.step}
    </p>
  );
}
