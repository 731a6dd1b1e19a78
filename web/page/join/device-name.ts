import { MAX_NAME_LENGTH } from '../../../signaling/protocol/limits.ts';

/** What a browser says it runs on, the first that fits: an iPad calls itself a Mac, an Android phone is the one that says "Mobile". */
const PLATFORMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPod/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android.*Mobile|Mobile.*Android/, 'Android phone'],
  [/Android/, 'Android tablet'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows computer'],
  [/Macintosh|Mac OS X/, 'Mac'],
  [/Linux|X11/, 'Linux computer'],
];

/** A name that says what kind of device this is and nothing about its person; the session numbers those that are alike. */
export function platformName(userAgent: string, touchPoints: number): string {
  const name = PLATFORMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'Device';
  return name === 'Mac' && touchPoints > 1 ? 'iPad' : name;
}

/** What is wrong with a name, or null. */
export function checkName(name: string): string | null {
  const length = name.trim().length;
  if (length === 0) return 'Give this device a name, so that others know it in the picture.';
  return length > MAX_NAME_LENGTH ? `A name has ${MAX_NAME_LENGTH} characters at most; this one has ${length}.` : null;
}
