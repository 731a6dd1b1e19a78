import type { Look } from '../../../signaling/protocol/door.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';

/** Of ONNX Runtime's WASM, as the build packs it: what a device fetches besides that has no graphics processor to train on. */
export const ENGINE_BYTES = 2.4e6;

/** What happens when somebody joins who has been shown this. */
export type WayIn = 'in' | 'wait' | 'closed';

export function wayIn({ door, pass, devices, cap }: Look): WayIn {
  if (door === 'locked' || devices >= cap) return 'closed';
  return door === 'open' || (door === 'link' && pass === 'right') ? 'in' : 'wait';
}

/** The same in a sentence. */
export function wayInSentence(look: Look): string {
  const { door, pass, devices, cap, hostName } = look;
  if (door === 'locked') return `Nobody new may come in just now. Ask ${hostName}, then look again.`;
  if (devices >= cap)
    return `This session is full: ${hostName} lets in ${countText(cap, 'device', 'devices')} at most. Look again when one has left.`;
  if (door === 'open') return 'You come in at once.';
  if (door === 'ask') return `${hostName} lets each device in by hand.`;
  if (pass === 'right') return 'Your link lets you in.';
  const byHand = `so ${hostName} has to let you in.`;
  return pass === 'wrong'
    ? `This link is not this session’s: it is an old one, or was changed on the way, ${byHand}`
    : `You have the code alone, ${byHand} The whole link lets a device in at once.`;
}

/** What a person should know of a session before they join it. */
export function lookFacts(look: Look): readonly { readonly what: string; readonly value: string }[] {
  const { ownTable, model, hostName, hostAway, devices, cap, downloadBytes } = look;
  const more = Math.max(0, cap - devices);
  return [
    { what: 'Host', value: hostAway ? `${hostName}, away just now; it may come back` : hostName },
    { what: 'Model', value: model },
    ...(ownTable ? [{ what: 'Data', value: 'a table of the host’s own' }] : []),
    {
      what: 'Devices',
      value: `${countText(devices, 'is', 'are')} in, the host’s among them; ${more === 0 ? 'no more' : `${more} more`} may come`,
    },
    {
      what: 'Download',
      value:
        downloadBytes === undefined
          ? 'the model; its size is not known here'
          : downloadBytes === 0
            ? 'none'
            : `${bytesText(downloadBytes)} at most, once; ${bytesText(ENGINE_BYTES)} more where no graphics processor can be used`,
    },
  ];
}
