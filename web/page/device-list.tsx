import { Swatch } from './cloth-legend.tsx';
import type { DeviceLine } from './devices.ts';

export function DeviceList({ lines }: { lines: readonly DeviceLine[] }) {
  return (
    <section class="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">Devices</h2>
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
              {line.facts.length > 0 && <p class="device-facts">{line.facts.join(' · ')}</p>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
