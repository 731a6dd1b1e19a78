import { Swatch } from '../cloth/cloth-legend.tsx';
import { type DeviceLine, foldedLines } from './devices.ts';

/** Everybody in the room. In a large one those who stand by are folded away. */
export function DeviceList({ lines }: { lines: readonly DeviceLine[] }) {
  const { shown, folded } = foldedLines(lines);
  return (
    <section class="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">Devices</h2>
      <Lines lines={shown} />
      {folded.length > 0 && (
        <details class="fold">
          <summary>{folded.length} more stand by or watch</summary>
          <Lines lines={folded} />
        </details>
      )}
    </section>
  );
}

function Lines({ lines }: { lines: readonly DeviceLine[] }) {
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
