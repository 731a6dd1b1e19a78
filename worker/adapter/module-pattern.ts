import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';

/**
 * Regular expressions as Python's `re` reads them, for the patterns of an adapter's configuration: of whoever made it, so they are run
 * without backtracking, in time proportional to text times pattern (Thompson, CACM 1968). What changes numbers is only which names match,
 * so there are no captures, and lazy or greedy is all one.
 */

export class PatternError extends SentenceError {
  override readonly name = 'PatternError';
}

const MAX_LENGTH = 2_000;
/** After repetitions are written out. */
const MAX_STEPS = 5_000;
const MAX_NESTING = 50;

type Test = (char: string) => boolean;
type Node =
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number };

/** Compiled: from a step, either a character's test and the next step, or steps that cost nothing. */
type Step =
  | { readonly kind: 'char'; readonly test: Test; readonly next: number }
  | { readonly kind: 'start' | 'end'; readonly next: number }
  | { readonly kind: 'fork'; readonly to: number[] }
  | { readonly kind: 'found' };

/**
 * Whether a pattern matches the whole of a text, as `re.fullmatch`.
 * @throws PatternError with the construct that is not read.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_LENGTH)
    throw new PatternError(`the pattern has ${pattern.length} characters; at most ${MAX_LENGTH} are read`);
  // Most patterns are a name; a dot in it stands for any character.
  if (/^[\w.-]*$/.test(pattern))
    return (text) =>
      text.length === pattern.length && [...pattern].every((char, i) => char === '.' || char === text[i]);
  const steps = compile(new Reader(pattern).read());
  return (text) => run(steps, text);
}

const DIGIT: Test = (char) => /\d/.test(char);
const WORD: Test = (char) => /\w/.test(char);
const SPACE: Test = (char) => /\s/.test(char);
const not =
  (test: Test): Test =>
  (char) =>
    !test(char);
const CLASSES: Readonly<Record<string, Test>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' };

class Reader {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): Node {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) throw new PatternError('a ")" closes nothing');
    return node;
  }

  #take(expected: string): boolean {
    if (!this.#pattern.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #choice(): Node {
    if (++this.#depth > MAX_NESTING) throw new PatternError('its groups are nested too deeply');
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#pattern[this.#at]!)) parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): Node {
    let node = this.#atom();
    for (let times = this.#times(); times !== null; times = this.#times())
      node = { kind: 'repeat', part: node, least: times[0], most: times[1] };
    return node;
  }

  /** `*`, `+`, `?` or `{m,n}`, and the mark of a lazy one. */
  #times(): readonly [number, number] | null {
    const found = /^(?:([*+?])|\{(\d*)(,?)(\d*)\})/.exec(this.#pattern.slice(this.#at));
    if (!found || (found[1] === undefined && found[2] === '' && found[4] === '')) return null;
    this.#at += found[0].length;
    if (this.#take('+')) throw new PatternError('possessive repetition ("++") is not read');
    this.#take('?');
    const [, sign, least = '', comma, most = ''] = found;
    if (sign) return [sign === '+' ? 1 : 0, sign === '?' ? 1 : Number.POSITIVE_INFINITY];
    const low = Number(least || 0);
    const high = comma ? (most === '' ? Number.POSITIVE_INFINITY : Number(most)) : low;
    if (low > MAX_STEPS || high < low) throw new PatternError(`the repetition ${found[0]} is out of range`);
    return [low, high];
  }

  #atom(): Node {
    const char = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
    this.#at += char.length;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'char', test: this.#set() };
      case '.':
        return { kind: 'char', test: (c) => c !== '\n' };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new PatternError(`"${char}" repeats nothing`);
      default:
        return { kind: 'char', test: (c) => c === char };
    }
  }

  #group(): Node {
    if (this.#take('?') && !this.#take(':') && !/^P<\w+>/.test(this.#pattern.slice(this.#at)))
      throw new PatternError(`the group "(?${/^<?./.exec(this.#pattern.slice(this.#at))?.[0] ?? ''}" is not read`);
    this.#at += /^P<\w+>/.exec(this.#pattern.slice(this.#at))?.[0].length ?? 0;
    const inner = this.#choice();
    if (!this.#take(')')) throw new PatternError('a "(" is not closed');
    return inner;
  }

  #escape(): Node {
    const char = this.#pattern[this.#at++];
    if (char === 'A') return { kind: 'start' };
    if (char === 'Z') return { kind: 'end' };
    return { kind: 'char', test: this.#escaped(char) };
  }

  #escaped(char: string | undefined): Test {
    if (char === undefined) throw new PatternError('it ends in a backslash');
    const test = CLASSES[char];
    if (test) return test;
    const control = CONTROLS[char];
    if (control === undefined && /[0-9A-Za-z]/.test(char)) throw new PatternError(`"\\${char}" is not read`);
    return (c) => c === (control ?? char);
  }

  #set(): Test {
    const negated = this.#take('^');
    const tests: Test[] = [];
    for (let first = true; first || this.#pattern[this.#at] !== ']'; first = false) {
      const low = this.#member();
      const next = this.#pattern[this.#at + 1];
      if (typeof low === 'string' && this.#pattern[this.#at] === '-' && next !== ']' && next !== undefined) {
        this.#at++;
        const high = this.#member();
        if (typeof high !== 'string' || high < low)
          throw new PatternError('a range of characters is the wrong way round');
        tests.push((c) => c >= low && c <= high);
      } else tests.push(typeof low === 'string' ? (c) => c === low : low);
    }
    this.#at++;
    const any: Test = (c) => tests.some((test) => test(c));
    return negated ? not(any) : any;
  }

  #member(): string | Test {
    const char = this.#pattern[this.#at++];
    if (char === undefined) throw new PatternError('a "[" is not closed');
    if (char !== '\\') return char;
    const escaped = this.#pattern[this.#at++] ?? '';
    const known = CLASSES[escaped] ?? CONTROLS[escaped];
    if (known !== undefined) return known;
    this.#escaped(escaped);
    return escaped;
  }
}

function compile(root: Node): readonly Step[] {
  const steps: Step[] = [{ kind: 'found' }];
  const add = (step: Step): number => {
    if (steps.length >= MAX_STEPS) throw new PatternError('its repetitions are too many to write out');
    return steps.push(step) - 1;
  };
  /** The step at which `node` begins when `next` follows it. */
  let visits = 0;
  const before = (node: Node, next: number): number => {
    if (++visits > 10 * MAX_STEPS) throw new PatternError('its repetitions are too many to write out');
    switch (node.kind) {
      case 'char':
        return add({ kind: 'char', test: node.test, next });
      case 'start':
      case 'end':
        return add({ kind: node.kind, next });
      case 'sequence':
        return node.parts.reduceRight((at, part) => before(part, at), next);
      case 'choice':
        return add({ kind: 'fork', to: node.parts.map((part) => before(part, next)) });
      case 'repeat': {
        let at = next;
        if (node.most === Number.POSITIVE_INFINITY) {
          const loop: number[] = [next];
          at = add({ kind: 'fork', to: loop });
          loop.push(before(node.part, at));
        } else
          for (let i = node.least; i < node.most; i++) at = add({ kind: 'fork', to: [next, before(node.part, at)] });
        for (let i = 0; i < node.least; i++) at = before(node.part, at);
        return at;
      }
    }
  };
  steps.push({ kind: 'fork', to: [before(root, 0)] });
  return steps;
}

function run(steps: readonly Step[], text: string): boolean {
  let current = new Set<number>();
  const follow = (from: number, position: number, into: Set<number>) => {
    const open = [from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (into.has(at)) continue;
      into.add(at);
      const step = steps[at]!;
      if (step.kind === 'fork') open.push(...step.to);
      else if (step.kind === 'start' && position === 0) open.push(step.next);
      else if (step.kind === 'end' && position === text.length) open.push(step.next);
    }
  };
  follow(steps.length - 1, 0, current);
  let position = 0;
  for (const char of text) {
    position += char.length;
    const reached = new Set<number>();
    for (const at of current) {
      const step = steps[at]!;
      if (step.kind === 'char' && step.test(char)) follow(step.next, position, reached);
    }
    current = reached;
  }
  return current.has(0);
}
