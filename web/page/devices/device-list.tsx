import { useMemo, useRef } from 'preact/hooks';
import * as say from '../../words/watch/devices.ts';
import { Swatch } from '../cloth/cloth-legend.tsx';
import { CompareDigits } from '../door/compare-digits.tsx';
import { Confirmed } from '../parts/confirmed.tsx';
import { useShared } from '../parts/hooks.ts';
import { type DeviceLine, foldedLines, LISTED } from './device-lines.ts';

interface DeviceListProps {
  readonly lines: readonly DeviceLine[];
  /** Takes a device out for good; null where that is not this person's to do. */
  readonly onRemove: ((id: string) => void) | null;
  /** Says whether a device shows the digits that it should; null likewise. */
  readonly onCompared: ((id: string, same: boolean) => void) | null;
  /** Gives the person's own table to a device; null likewise, and for a public task. */
  readonly onGiveTable: ((id: string) => void) | null;
}

/** Everybody in the room. In a large one each is a line that opens, and those who stand by are folded away. */
export function DeviceList({ lines: derived, ...todo }: DeviceListProps) {
  const lines = useShared(derived);
  const { shown, folded } = useMemo(() => foldedLines(lines), [lines]);
  const short = lines.length > LISTED;
  return (
    <section class="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">{say.devices}</h2>
      <Lines lines={shown} short={short} {...todo} />
      {folded.length > 0 && (
        <details class="fold">
          <summary>{say.moreStandByOrWatch(folded.length)}</summary>
          <Lines lines={folded} short={short} {...todo} />
        </details>
      )}
    </section>
  );
}

function Lines({ lines, ...todo }: DeviceListProps & { short: boolean }) {
  return (
    <ul>
      {lines.map((line) => (
        <DeviceRow key={line.id} line={line} {...todo} />
      ))}
    </ul>
  );
}

interface RowProps extends Omit<DeviceListProps, 'lines'> {
  readonly line: DeviceLine;
  readonly short: boolean;
}

/** Drawn anew only when its own line changes. */
function DeviceRow({ line, short, onRemove, onCompared, onGiveTable }: RowProps) {
  const latest = useRef({ onRemove, onCompared, onGiveTable });
  latest.current = { onRemove, onCompared, onGiveTable };
  const mayRemove = onRemove !== null && !line.tags.includes('host');
  const mayCompare = onCompared !== null;
  const mayGive = onGiveTable !== null;
  return useMemo(() => {
    const todo = (
      <>
        {mayCompare && line.digits !== null && (
          <CompareDigits
            name={line.name}
            digits={line.digits}
            onCompared={(same) => latest.current.onCompared?.(line.id, same)}
          />
        )}
        {mayGive && line.mayBeGiven && (
          <div class="device-give">
            <Confirmed
              label={say.giveItTheTable}
              about={line.name}
              question={say.giveEveryRow(line.name)}
              yes={say.giveIt}
              no={say.keepItHere}
              onYes={() => latest.current.onGiveTable?.(line.id)}
            />
          </div>
        )}
        {mayRemove && (
          <div class="device-remove">
            <Confirmed
              label={say.remove}
              about={line.name}
              question={say.removeItStaysOut(line.name)}
              yes={say.remove}
              no={say.keepIt}
              onYes={() => latest.current.onRemove?.(line.id)}
            />
          </div>
        )}
      </>
    );
    const chip =
      line.mark === null ? (
        <span class="chip chip-none" aria-hidden="true" />
      ) : (
        <Swatch letter={line.mark.letter} yarn={line.mark.yarn} />
      );
    if (short)
      return (
        <li class={`device-short tone-${line.tone}`}>
          <details open={line.digits !== null}>
            <summary>
              {chip}
              <span class="device-name">
                <NameAndTags line={line} />
              </span>
              <span class="device-status">{line.status}</span>
            </summary>
            <Facts facts={line.facts} />
            <Facts facts={line.profile} />
            {todo}
          </details>
        </li>
      );
    return (
      <li class={`device tone-${line.tone}`}>
        {chip}
        <div>
          <p class="device-name">
            <NameAndTags line={line} />
          </p>
          <p class="device-status">{line.status}</p>
          <Facts facts={line.facts} />
          <Facts facts={line.profile} />
        </div>
        {todo}
      </li>
    );
  }, [line, short, mayRemove, mayCompare, mayGive]);
}

function NameAndTags({ line }: { line: DeviceLine }) {
  return (
    <>
      {line.name}
      {line.tags.map((tag) => (
        <span key={tag} class="tag">
          {' '}
          {tag}
        </span>
      ))}
    </>
  );
}

/** Short phrases on one line or two; none is broken in the middle. */
function Facts({ facts }: { facts: readonly string[] }) {
  if (facts.length === 0) return null;
  return (
    <p class="device-facts">
      {facts.map((fact, i) => (
        <span key={fact}>
          {fact}
          {i < facts.length - 1 && ' ·'}{' '}
        </span>
      ))}
    </p>
  );
}
