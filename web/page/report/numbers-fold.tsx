import { useState } from 'preact/hooks';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import { flopsText } from '../../../signaling/protocol/words/quantities.ts';
import { type DeviceFacts, deviceFacts } from '../../tab/device-facts.ts';
import * as say from '../../words/take/report.ts';
import { Facts } from '../parts/facts.tsx';
import { ownNumbers } from './own-numbers.ts';

/** One's own profile in numbers. The browser is asked for its graphics processor's name when somebody looks. */
export function NumbersFold({ profile }: { profile: Profile }) {
  const [gpu, setGpu] = useState<DeviceFacts['gpu'] | undefined>(undefined);
  return (
    <details
      class="fold"
      data-fold="numbers"
      onToggle={(event) => {
        if (event.currentTarget.open) void deviceFacts().then((facts) => setGpu(facts.gpu));
      }}
    >
      <summary>
        {say.thisDeviceInNumbers} <span class="summary-note">{flopsText(profile.flopsPerSecond)}</span>
      </summary>
      <Facts facts={ownNumbers(profile, gpu)} />
    </details>
  );
}
