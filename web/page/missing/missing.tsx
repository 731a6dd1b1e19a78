import { useEffect, useState } from 'preact/hooks';
import type { Past } from '../../tab/memory/crumb.ts';
import { lookBack } from '../../tab/memory/crumbs.ts';
import { type Missing, whatIsMissing } from '../../tab/what-is-missing.ts';
import * as say from '../../words/join/missing.ts';
import { lastEndSentence } from './last-end-words.ts';
import { missingWords } from './missing-words.ts';

interface NoteProps {
  readonly addresses: readonly string[];
  /** The server does not answer. */
  readonly away: boolean;
  /** It has a newer page than this one. */
  readonly newer: boolean;
}

/** What this browser keeps from the page, where that costs something, what became of the page before, and what to do about it. */
export function MissingNote({ addresses, away, newer }: NoteProps) {
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
      {away && (
        <p class="missing" role="note">
          {say.theServerDoesNotAnswer}
        </p>
      )}
      {newer && (
        <p class="missing" role="note">
          {say.aNewerVersion}{' '}
          <button class="plain" type="button" onClick={() => location.reload()}>
            {say.loadIt}
          </button>
        </p>
      )}
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
