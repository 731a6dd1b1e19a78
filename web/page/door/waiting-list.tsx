import type { Waiting } from '../../../signaling/protocol/door.ts';
import type { EntranceControls } from '../../session/view/view.ts';
import { waitingTitle, waitingWords } from './door-words.ts';

interface WaitingListProps {
  readonly waiting: readonly Waiting[];
  readonly entrance: EntranceControls;
  /** Of its title, where the list is on the page twice. */
  readonly id?: string;
}

/** Who stands at the host's door, in the order in which they came. */
export function WaitingList({ waiting, entrance, id = 'waiting' }: WaitingListProps) {
  if (waiting.length === 0) return null;
  const invited = waiting.filter(({ withPass, likeRemoved }) => withPass && !likeRemoved);
  const letAllIn = (): void => {
    for (const { id } of invited) entrance.admit(id);
  };
  return (
    <section class="waiting" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{waitingTitle(waiting.length)}</h2>
      <ul>
        {waiting.map((device) => (
          <li key={device.id} class="waiting-item">
            <div>
              <p class="device-name">
                {device.name}
                {device.kind === 'headless' && <span class="tag">headless</span>}
              </p>
              <p class={device.likeRemoved ? 'device-status waiting-warning' : 'device-status'}>
                {waitingWords(device)}
              </p>
            </div>
            <div class="buttons">
              <button
                class="primary"
                type="button"
                aria-label={`Let in: ${device.name}`}
                onClick={() => entrance.admit(device.id)}
              >
                Let in
              </button>
              <button
                class="plain"
                type="button"
                aria-label={`Not now: ${device.name}`}
                onClick={() => entrance.refuse(device.id)}
              >
                Not now
              </button>
            </div>
          </li>
        ))}
      </ul>
      {invited.length > 1 && (
        <div class="buttons">
          <button type="button" onClick={letAllIn}>
            Let in all {invited.length} who have your link
          </button>
        </div>
      )}
    </section>
  );
}
