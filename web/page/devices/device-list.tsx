import { Swatch } from '../cloth/cloth-legend.tsx';
import { CompareDigits } from '../door/compare-digits.tsx';
import { Confirmed } from '../parts/confirmed.tsx';
import { type DeviceLine, foldedLines } from './device-lines.ts';

interface DeviceListProps {
  readonly lines: readonly DeviceLine[];
  /** Takes a device out for good; null where that is not this person's to do. */
  readonly onRemove: ((id: string) => void) | null;
  /** Says whether a device shows the digits that it should; null likewise. */
  readonly onCompared: ((id: string, same: boolean) => void) | null;
}

/** Everybody in the room. In a large one those who stand by are folded away. */
export function DeviceList({ lines, ...todo }: DeviceListProps) {
  const { shown, folded } = foldedLines(lines);
  return (
    <section class="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">Devices</h2>
      <Lines lines={shown} {...todo} />
      {folded.length > 0 && (
        <details class="fold">
          <summary>{folded.length} more stand by or watch</summary>
          <Lines lines={folded} {...todo} />
        </details>
      )}
    </section>
  );
}

function Lines({ lines, onRemove, onCompared }: DeviceListProps) {
  return (
    <ul>
      {lines.map((line) => (
        <li key={line.id} class={`device tone-${line.tone}`}>
          {line.mark === null ? (
            <span class="chip chip-none" aria-hidden="true" />
          ) : (
            <Swatch letter={line.mark.letter} yarn={line.mark.yarn} />
          )}
          <div>
            <p class="device-name">
              {line.name}
              {line.tags.map((tag) => (
                <span key={tag} class="tag">
                  {tag}
                </span>
              ))}
            </p>
            <p class="device-status">{line.status}</p>
            <Facts facts={line.facts} />
            <Facts facts={line.profile} />
          </div>
          {onCompared !== null && line.digits !== null && (
            <CompareDigits name={line.name} digits={line.digits} onCompared={(same) => onCompared(line.id, same)} />
          )}
          {onRemove !== null && !line.tags.includes('host') && (
            <div class="device-remove">
              <Confirmed
                label="Remove"
                about={line.name}
                question={`Remove ${line.name}? It stays out.`}
                yes="Remove"
                no="Keep it"
                onYes={() => onRemove(line.id)}
              />
            </div>
          )}
        </li>
      ))}
    </ul>
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
