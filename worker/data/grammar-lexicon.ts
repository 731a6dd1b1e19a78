/** Words of the generated sentiment task, by polarity. Lower case and spaced punctuation, as in SST-2. */

export interface Aspect {
  readonly name: string;
  readonly plural: boolean;
}

const singular = (name: string): Aspect => ({ name, plural: false });
const plural = (name: string): Aspect => ({ name, plural: true });

/** Parts of a film that one may praise or blame. */
export const ASPECTS: readonly Aspect[] = [
  ...['acting', 'story', 'script', 'pacing', 'music', 'direction', 'ending', 'dialogue', 'camera work', 'plot'].map(
    singular,
  ),
  ...['humour', 'editing', 'opening', 'second half', 'romance', 'lead actor', 'supporting cast', 'villain'].map(
    singular,
  ),
  ...['performances', 'jokes', 'songs', 'characters', 'action scenes', 'special effects', 'twists', 'costumes'].map(
    plural,
  ),
];

export const GENRES = ['film', 'movie', 'comedy', 'drama', 'thriller', 'picture', 'debut', 'sequel', 'remake'] as const;

export const TOPICS = [
  'a lighthouse keeper',
  'two brothers on the road',
  'a small town doctor',
  'a stolen painting',
  'an old sailor',
  'three sisters in the war',
  'a retired teacher',
  'a night train',
  'a family farm',
  'a young pianist',
  'a missing letter',
  'the last summer of school',
] as const;

/** Index 1 praises, index 0 blames. */
export type ByPolarity<T> = readonly [blame: T, praise: T];

export const ADJECTIVES: ByPolarity<readonly string[]> = [
  [
    'dull',
    'boring',
    'predictable',
    'clumsy',
    'tedious',
    'lifeless',
    'awful',
    'terrible',
    'weak',
    'silly',
    'forgettable',
    'shallow',
    'messy',
    'annoying',
    'pointless',
    'flat',
    'stupid',
    'lazy',
    'bland',
    'painful',
    'wooden',
    'confused',
    'ridiculous',
    'unconvincing',
    'pretentious',
    'disappointing',
    'poor',
    'dreadful',
    'tired',
    'ugly',
  ],
  [
    'charming',
    'brilliant',
    'funny',
    'moving',
    'clever',
    'gripping',
    'beautiful',
    'wonderful',
    'fresh',
    'witty',
    'touching',
    'superb',
    'elegant',
    'exciting',
    'memorable',
    'honest',
    'delightful',
    'excellent',
    'powerful',
    'warm',
    'convincing',
    'stunning',
    'subtle',
    'inventive',
    'enjoyable',
    'rewarding',
    'impressive',
    'lovely',
    'haunting',
    'great',
  ],
];

/** [with a singular subject, with a plural one]. */
export const VERB_PHRASES: ByPolarity<readonly (readonly [string, string])[]> = [
  [
    ['drags on and on', 'drag on and on'],
    ['falls flat', 'fall flat'],
    ['goes nowhere', 'go nowhere'],
    ['makes no sense', 'make no sense'],
    ['ruins everything', 'ruin everything'],
    ['gets on my nerves', 'get on my nerves'],
    ['wears thin quickly', 'wear thin quickly'],
    ['lets everyone down', 'let everyone down'],
  ],
  [
    ['shines from start to finish', 'shine from start to finish'],
    ['won me over', 'won me over'],
    ['works like a charm', 'work like a charm'],
    ['steals the show', 'steal the show'],
    ['stays with you for days', 'stay with you for days'],
    ['feels completely right', 'feel completely right'],
    ['lifts the whole thing', 'lift the whole thing'],
    ['hits every note', 'hit every note'],
  ],
];

export const VERDICTS: ByPolarity<readonly string[]> = [
  ['mess', 'waste of time', 'disaster', 'failure', 'bore', 'disappointment', 'missed chance', 'chore', 'embarrassment'],
  ['triumph', 'masterpiece', 'gem', 'joy', 'treat', 'success', 'pleasure', 'small miracle', 'classic'],
];

export const REACTIONS: ByPolarity<readonly string[]> = [
  [
    'i nearly fell asleep',
    'i wanted my money back',
    'i checked my watch all the time',
    'half of the audience walked out',
    'i could not wait for it to end',
    'nobody in the room laughed',
  ],
  [
    'i loved every minute',
    'i could not look away',
    'i left with a smile',
    'the whole audience cheered',
    'i would see it again tomorrow',
    'i did not want it to end',
  ],
];

export const INTENSIFIERS = ['', '', '', 'very', 'really', 'so', 'truly', 'just', 'quite', 'rather'] as const;

/** Put before an adjective they turn its polarity around. */
export const NEGATORS = [
  'not',
  'not at all',
  'never',
  'far from',
  'anything but',
  'not in the least',
  'by no means',
  'hardly',
] as const;
