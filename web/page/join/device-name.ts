import { MAX_NAME_LENGTH } from '../../../signaling/protocol/limits.ts';
import * as say from '../../words/join/join.ts';

/** What a browser says it runs on, the first that fits: an iPad calls itself a Mac, an Android phone is the one that says "Mobile". */
const PLATFORMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPod/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android.*Mobile|Mobile.*Android/, say.androidPhone],
  [/Android/, say.androidTablet],
  [/CrOS/, say.chromebook],
  [/Windows/, say.windowsComputer],
  [/Macintosh|Mac OS X/, say.mac],
  [/Linux|X11/, say.linuxComputer],
];

/** A name that says what kind of device this is and nothing about its person; the session numbers those that are alike. */
export function platformName(userAgent: string, touchPoints: number): string {
  const name = PLATFORMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? say.device;
  return name === 'Mac' && touchPoints > 1 ? 'iPad' : name;
}

/** What is wrong with a name, or null. */
export function checkName(name: string): string | null {
  const length = name.trim().length;
  if (length === 0) return say.giveThisDeviceAName;
  return length > MAX_NAME_LENGTH ? say.aNameHasCharacters(MAX_NAME_LENGTH, length) : null;
}
