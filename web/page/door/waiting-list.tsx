import type { Waiting } from '../../../signaling/protocol/door.ts';
import type { EntranceControls } from '../../session/view/view.ts';
import * as say from '../../words/join/door.ts';
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
                {device.kind === 'headless' && <span class="tag">{say.headless}</span>}
              </p>
              <p class={device.likeRemoved ? 'device-status waiting-warning' : 'device-status'}>
                {waitingWords(device)}
              </p>
            </div>
            <div class="buttons">
              <button
                class="primary"
                type="button"
                aria-label={say.letIn(device.name)}
                onClick={() => entrance.admit(device.id)}
              >
                {say.letInTitle}
              </button>
              <button
                class="plain"
                type="button"
                aria-label={say.notNow(device.name)}
                onClick={() => entrance.refuse(device.id)}
              >
                {say.notNowTitle}
              </button>
            </div>
          </li>
        ))}
      </ul>
      {invited.length > 1 && (
        <div class="buttons">
          <button type="button" onClick={letAllIn}>
            {say.letInAllWhoHave(invited.length)}
          </button>
        </div>
      )}
    </section>
  );
}
