/** What a tab may give to training; phones reload tabs that take much more, without a word. */
const TAB_MEMORY_BYTES = 1.5e9;
/** Of iOS and iPadOS, whatever limits say: their tabs end at about 1.5 GB, all that a page holds included. */
const IOS_MEMORY_BYTES = 1.0e9;

interface Platform {
  readonly userAgent: string;
  readonly maxTouchPoints: number;
}

/** Every browser there is WebKit; an iPad says that it is a Mac, and no Mac has a touch screen. */
const isIos = ({ userAgent, maxTouchPoints }: Platform): boolean =>
  /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);

/** The most that training may claim in a tab of this browser. */
export const mostMemoryBytes = (platform: Platform): number => (isIos(platform) ? IOS_MEMORY_BYTES : TAB_MEMORY_BYTES);
