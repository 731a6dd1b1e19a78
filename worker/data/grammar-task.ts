import type { Example, ExampleSplits } from './example.ts';
import {
  ADJECTIVES,
  ASPECTS,
  type Aspect,
  type ByPolarity,
  GENRES,
  INTENSIFIERS,
  NEGATORS,
  REACTIONS,
  TOPICS,
  VERB_PHRASES,
  VERDICTS,
} from './grammar-lexicon.ts';
import { seededRandom } from './seeded-random.ts';

const TRAIN_EXAMPLES = 4000;
const DEV_EXAMPLES = 500;
/** The data is one fixed set, whatever the session's seed. */
const DATA_SEED = 20_260_101;

/** 1 praises, 0 blames. */
type Polarity = 0 | 1;

const flipped = (polarity: Polarity): Polarity => (polarity === 1 ? 0 : 1);
const withArticle = (words: string) => `${/^([aeiou]|honest)/.test(words) ? 'an' : 'a'} ${words}`;

/**
 * Sentences on films with their polarity, from a small grammar of our own. What makes them more than lists of good and bad words:
 * negation turns a phrase around ("not at all dull"), and in a contrast one half decides ("the acting is fine but the story is a mess").
 * Every form is drawn for both polarities alike, so neither a form nor a connective tells the label.
 *
 * The shares make the dev score climb for as long as a demonstration lasts. Measured with roberta-mini, LoRA of rank 8 on query and
 * value, rounds of 32 samples and a rate of 5e-3: 80 to 85 % after 40 rounds, 86 to 88 % after 80, 99 % after 600.
 */
function sentence(random: () => number, polarity: Polarity): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const say = <T>(from: ByPolarity<readonly T[]>, p: Polarity): T => pick(from[p]);

  const adjective = (p: Polarity) => `${pick(INTENSIFIERS)} ${say(ADJECTIVES, p)}`.trim();
  const quality = (p: Polarity) => (random() < 0.1 ? `${pick(NEGATORS)} ${say(ADJECTIVES, flipped(p))}` : adjective(p));
  const plainVerdict = (p: Polarity) => withArticle(say(VERDICTS, p));
  const verdict = (p: Polarity) => (random() < 0.1 ? `${pick(NEGATORS)} ${plainVerdict(flipped(p))}` : plainVerdict(p));
  const praised = ({ name, plural }: Aspect, p: Polarity) =>
    plural ? `${say(ADJECTIVES, p)} ${name}` : withArticle(`${say(ADJECTIVES, p)} ${name}`);
  /** "the jokes are not at all dull" */
  const clause = ({ name, plural }: Aspect, p: Polarity) => {
    const form = random();
    if (form < 0.25) return `the ${name} ${say(VERB_PHRASES, p)[plural ? 1 : 0]}`;
    if (form < 0.45 && !plural) return `the ${name} is ${verdict(p)}`;
    return `the ${name} ${plural ? 'are' : 'is'} ${quality(p)}`;
  };

  const first = pick(ASPECTS);
  const second = pick(ASPECTS.filter((aspect) => aspect !== first));
  const film = pick(GENRES);
  const topic = pick(TOPICS);
  const other = flipped(polarity);

  const forms: readonly (readonly [weight: number, make: () => string])[] = [
    [90, () => clause(first, polarity)],
    [60, () => `${clause(first, polarity)} and ${clause(second, polarity)}`],
    [
      15,
      () =>
        `${clause(first, other)}${pick([' ,', ''])} ${pick(['but', 'yet', 'but then'])} ${clause(second, polarity)}`,
    ],
    [7, () => `${pick(['although', 'while', 'even though'])} ${clause(first, other)} , ${clause(second, polarity)}`],
    [
      7,
      () => `${clause(first, polarity)} ${pick([', even though', ', although', 'even if'])} ${clause(second, other)}`,
    ],
    [4, () => `despite ${praised(first, other)} , this ${film} is ${verdict(polarity)}`],
    [4, () => `i expected ${plainVerdict(other)} , but this ${film} is ${quality(polarity)}`],
    [
      4,
      () =>
        `people told me that it is ${adjective(other)} , ${pick(['wrongly', 'but no'])} : it is ${quality(polarity)}`,
    ],
    [30, () => `${withArticle(say(ADJECTIVES, polarity))} ${film} with ${praised(first, polarity)}`],
    [20, () => `this ${film} about ${topic} is ${verdict(polarity)}`],
    [40, () => `${say(REACTIONS, polarity)} , and ${clause(first, polarity)}`],
    [4, () => `it may be ${adjective(other)} at times , but this ${film} about ${topic} is ${quality(polarity)}`],
  ];
  let drawn = random() * forms.reduce((sum, [weight]) => sum + weight, 0);
  const [, make] = forms.find(([weight]) => {
    drawn -= weight;
    return drawn < 0;
  })!;
  return `${make()} .`;
}

/** The embedded sentiment task: the same sentences everywhere, balanced, no two of them equal, so train and dev are disjoint. */
export function grammarTask(): ExampleSplits {
  const random = seededRandom(DATA_SEED);
  const seen = new Set<string>();
  const draw = (count: number): Example[] => {
    const examples: Example[] = [];
    while (examples.length < count) {
      const label: Polarity = examples.length % 2 === 0 ? 1 : 0;
      const text = sentence(random, label);
      if (seen.has(text)) continue;
      seen.add(text);
      examples.push({ text, pair: null, label });
    }
    return examples;
  };
  const dev = draw(DEV_EXAMPLES);
  return { train: draw(TRAIN_EXAMPLES), dev };
}
