import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/take/results.ts';
import { Swatch } from '../cloth/cloth-legend.tsx';
import type { Seats } from '../cloth/marks.ts';
import type { Tally } from '../own/given.ts';
import { type Contribution, contributions, markdown, togetherSentence, toldOf } from './results.ts';
import { handOver, sharePicture } from './share-picture.ts';

const SHOWN = 8;

/** Who did how much of it, how long it would have taken alone, and what to tell others. */
export function ResultsSection({
  view,
  tally,
  seats,
  names,
}: {
  view: SessionView;
  tally: Tally;
  seats: Seats;
  names: ReadonlyMap<string, string>;
}) {
  const [said, setSaid] = useState('');
  const all = contributions(tally, view.self, seats, names);
  const told = toldOf(view, all.length);
  if (all.length === 0 || told === null) return null;
  const together = togetherSentence(view, all.length);
  const share = async (): Promise<void> => {
    try {
      const done = await handOver(await sharePicture(told, all), 'tabloom.png');
      setSaid({ shared: say.shared, saved: say.tabloomPng, kept: '' }[done]);
    } catch (error) {
      setSaid(errorSentence(error, say.thePictureCouldNot));
    }
  };
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(markdown(told, all));
      setSaid(say.copied);
    } catch {
      // Plain http has no clipboard.
      await handOver(new Blob([markdown(told, all)], { type: 'text/markdown' }), 'tabloom.md');
      setSaid(say.tabloomMd);
    }
  };
  return (
    <section class="results" aria-labelledby="results-title">
      <h2 id="results-title">{say.wovenBy}</h2>
      <ul class="contributions">
        {all.slice(0, SHOWN).map((one) => (
          <ContributionLine key={one.device} one={one} />
        ))}
      </ul>
      {all.length > SHOWN && (
        <details class="fold">
          <summary>
            {all.length - SHOWN} {say.more}
          </summary>
          <ul class="contributions">
            {all.slice(SHOWN).map((one) => (
              <ContributionLine key={one.device} one={one} />
            ))}
          </ul>
        </details>
      )}
      {tally.untold > 0 && <p class="results-note">{say.ofEarlierRoundsThisPage(tally.untold)}</p>}
      {together !== null && <p>{together}</p>}
      <div class="buttons">
        <button type="button" onClick={() => void share()}>
          {say.shareAPicture}
        </button>
        <button type="button" class="plain" onClick={() => void copy()}>
          {say.copyAsMarkdown}
        </button>
        <span role="status" class="results-note">
          {said}
        </span>
      </div>
    </section>
  );
}

function ContributionLine({ one }: { one: Contribution }) {
  return (
    <li style={one.mark === null ? undefined : { '--yarn': `var(--yarn-${one.mark.yarn})` }}>
      {one.mark === null ? (
        <span class="chip chip-none" aria-hidden="true" />
      ) : (
        <Swatch letter={one.mark.letter} yarn={one.mark.yarn} />
      )}
      <span class="contribution-name">
        {one.name}
        {one.self && <span class="tag"> {say.you}</span>}
      </span>
      <span class="contribution-share">{percentText(one.share)}</span>
      <span class="contribution-bar" aria-hidden="true">
        <span style={{ width: `${100 * one.share}%` }} />
      </span>
      <span class="contribution-figures">
        {say.samplesOfComputing(one.samples.toLocaleString('en-US'), secondsText(one.seconds))}
      </span>
    </li>
  );
}
