import type { Look } from '../../../signaling/protocol/door.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/join/join.ts';

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
  if (door === 'locked') return say.nobodyNewMayCome(hostName);
  if (devices >= cap) return say.thisSessionIsFullLets(hostName, countText(cap, say.deviceWithin, say.devices));
  if (door === 'open') return say.youComeInAtOnce;
  if (door === 'ask') return say.letsEachDevice(hostName);
  if (pass === 'right') return say.yourLinkLetsYou;
  const byHand = say.soHasToLetYou(hostName);
  return pass === 'wrong' ? say.thisLinkIsNot(byHand) : say.youHaveTheCodeAlone(byHand);
}

/** What a person should know of a session before they join it. */
export function lookFacts(look: Look): readonly { readonly what: string; readonly value: string }[] {
  const { ownTable, model, hostName, hostAway, devices, cap, downloadBytes } = look;
  const more = Math.max(0, cap - devices);
  return [
    { what: say.host, value: hostAway ? say.awayJustNowItMay(hostName) : hostName },
    { what: say.model, value: model },
    ...(ownTable ? [{ what: say.data, value: say.aTableOfTheHosts }] : []),
    {
      what: say.devicesTitle,
      value: say.inTheHostsAmongThem(countText(devices, say.isWord, say.are), more === 0 ? say.noMore : `${more} more`),
    },
    {
      what: say.download,
      value:
        downloadBytes === undefined
          ? say.theModelItsSize
          : downloadBytes === 0
            ? 'none'
            : say.atMostOnceMoreWhere(bytesText(downloadBytes), bytesText(ENGINE_BYTES)),
    },
  ];
}
