import { differenceOf, type Products, productsOf } from '../rounds/audits/compare.ts';
import type { Tolerance } from '../rounds/audits/tolerance.ts';
import type { Span } from '../rounds/evaluation-pieces.ts';
import type { Answered } from '../rounds/run-evaluation.ts';

/** Root mean square of logits below which they do not matter: the probabilities are even then, whatever they are. */
const LEAST_LOGIT = 0.1;
/** Fewer examples of a device are not worth a message. */
const LEAST_EXAMPLES = 4;

/** What a device said of some examples, and somebody else of the same. */
export interface FalseAnswer {
  readonly device: string;
  readonly by: readonly string[];
  readonly products: Products;
}

export interface AnswersToCheck {
  /** (examples, labels) */
  readonly logits: Float32Array;
  readonly labelCount: number;
  readonly answered: readonly Answered[];
  /** Part of each device's examples that is computed again. */
  readonly share: number;
  readonly tolerance: Tolerance;
  /** Whose own device is believed where no two others say the same. */
  readonly host: string | null;
  /** Devices that could compute it again. */
  readonly able: () => readonly string[];
  /** Even in 0 to 1 for each name; nobody else can know it. */
  readonly draw: (name: string) => number;
  /** (count, labels) of a device for these examples; null where it did not answer in time. */
  readonly ask: (device: string, span: Span) => Promise<Float32Array | null>;
}

/**
 * Of everybody who evaluated examples, a few in a row are computed again, by the host's own device, or by another one where that cannot. Where the two
 * differ a third one is asked, and whoever two others do not confirm has lied; where the host's own device is one of the two it is believed at once.
 * Who lies in all of its answers is found by the first; who lies in a part of them with the chance that this part is drawn.
 */
export async function falseAnswers(input: AnswersToCheck): Promise<readonly FalseAnswer[]> {
  const { answered, host, able, draw } = input;
  const found: FalseAnswer[] = [];
  for (const device of new Set(answered.map((one) => one.device))) {
    if (device === host || found.some((one) => one.device === device)) continue;
    const span = drawnSpan(input, device);
    const claimed = rowsOf(input.logits, span, input.labelCount);
    const others = able().filter((other) => other !== device && !found.some((one) => one.device === other));
    const first = others.includes(host ?? '') ? host : others[Math.floor(draw(`who ${device}`) * others.length)];
    if (first == null) continue;
    const one = await input.ask(first, span);
    if (one === null || agree(input, claimed, one)) continue;
    if (first === host) {
      found.push({ device, by: [first], products: productsOf(claimed, one) });
      continue;
    }
    for (const second of others.filter((other) => other !== first)) {
      const two = await input.ask(second, span);
      if (two === null) continue;
      if (agree(input, one, two)) found.push({ device, by: [first, second], products: productsOf(claimed, one) });
      else if (agree(input, claimed, two))
        found.push({ device: first, by: [device, second], products: productsOf(one, claimed) });
      else continue;
      break;
    }
  }
  return found;
}

/** A run of one of its chunks. */
function drawnSpan({ answered, share, draw }: AnswersToCheck, device: string): Span {
  const own = answered.filter((one) => one.device === device);
  const examples = own.reduce((sum, { count }) => sum + count, 0);
  // Chunks by their examples, so that each one is as likely.
  const rows = own.flatMap((chunk) => Array.from({ length: chunk.count }, (_, row) => ({ chunk, row })));
  const { chunk, row } = rows[Math.min(examples - 1, Math.floor(draw(`which ${device}`) * examples))]!;
  const count = Math.min(chunk.count, Math.max(LEAST_EXAMPLES, Math.ceil(share * examples)));
  return { start: chunk.start + Math.min(row, chunk.count - count), count };
}

const rowsOf = (logits: Float32Array, { start, count }: Span, labels: number): Float32Array =>
  logits.slice(start * labels, (start + count) * labels);

function agree({ tolerance }: AnswersToCheck, a: Float32Array, b: Float32Array): boolean {
  const { distance } = differenceOf(productsOf(a, b), LEAST_LOGIT * Math.sqrt(a.length));
  return distance <= tolerance.distance;
}
