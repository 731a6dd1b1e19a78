/** Metrics of answers. Arrays run parallel: prediction i belongs to label i. Where a metric is 0/0, it is 0, as scikit-learn has it. */

export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) right += 1;
  return labels.length === 0 ? 0 : right / labels.length;
}

/** What became of one class: answers that named it rightly and wrongly, and examples of it that were missed. */
export interface ClassTally {
  readonly right: number;
  readonly wrong: number;
  readonly missed: number;
}

/** Of each class, from class indices. */
export function classTallies(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  labelCount: number,
): readonly ClassTally[] {
  const tallies = Array.from({ length: labelCount }, () => ({ right: 0, wrong: 0, missed: 0 }));
  for (let i = 0; i < labels.length; i++) {
    if (predicted[i] === labels[i]) tallies[labels[i]!]!.right += 1;
    else {
      tallies[predicted[i]!]!.wrong += 1;
      tallies[labels[i]!]!.missed += 1;
    }
  }
  return tallies;
}

/** Of each label, from zeros and ones, (B,labels) both. */
export function labelTallies(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  labelCount: number,
): readonly ClassTally[] {
  const tallies = Array.from({ length: labelCount }, () => ({ right: 0, wrong: 0, missed: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const tally = tallies[i % labelCount]!;
    if (predicted[i] === 1) tally[labels[i] === 1 ? 'right' : 'wrong'] += 1;
    else if (labels[i] === 1) tally.missed += 1;
  }
  return tallies;
}

export const precisionOf = ({ right, wrong }: ClassTally): number => ratio(right, right + wrong);
export const recallOf = ({ right, missed }: ClassTally): number => ratio(right, right + missed);
export const f1Of = ({ right, wrong, missed }: ClassTally): number => ratio(2 * right, 2 * right + wrong + missed);

/** `f1_score(average="micro")`: of all classes' counts together. */
export const f1Micro = (tallies: readonly ClassTally[]): number =>
  f1Of({
    right: tallies.reduce((sum, { right }) => sum + right, 0),
    wrong: tallies.reduce((sum, { wrong }) => sum + wrong, 0),
    missed: tallies.reduce((sum, { missed }) => sum + missed, 0),
  });

/** The mean over the classes: `f1_score(average="macro")` where `tallies` are those that it would count. */
export const f1Macro = (tallies: readonly ClassTally[]): number =>
  ratio(
    tallies.reduce((sum, tally) => sum + f1Of(tally), 0),
    tallies.length,
  );

/** Classes that neither an answer nor a label names are not there for scikit-learn; of several labels, all are. */
export const namedTallies = (tallies: readonly ClassTally[]): readonly ClassTally[] =>
  tallies.filter(({ right, wrong, missed }) => right + wrong + missed > 0);

/** Harmonic mean of precision and recall of class 1. */
export function f1(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < labels.length; i++) {
    if (predicted[i] === 1 && labels[i] === 1) both += 1;
    either += Number(predicted[i] === 1) + Number(labels[i] === 1);
  }
  return either === 0 ? 0 : (2 * both) / either;
}

/** Matthews correlation coefficient for any number of classes (Gorodkin 2004, R_K), which for two is the phi coefficient. */
export function matthews(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  const classes = new Map<number, { predicted: number; true: number }>();
  const of = (label: number) => {
    const known = classes.get(label) ?? { predicted: 0, true: 0 };
    classes.set(label, known);
    return known;
  };
  const n = labels.length;
  let right = 0;
  for (let i = 0; i < n; i++) {
    of(predicted[i]!).predicted += 1;
    of(labels[i]!).true += 1;
    if (predicted[i] === labels[i]) right += 1;
  }
  let cross = 0;
  let predictedSquares = 0;
  let trueSquares = 0;
  for (const { predicted: p, true: t } of classes.values()) {
    cross += p * t;
    predictedSquares += p * p;
    trueSquares += t * t;
  }
  return ratio(right * n - cross, Math.sqrt((n * n - predictedSquares) * (n * n - trueSquares)));
}

/**
 * Pearson's correlation. Where either side is constant it is undefined, and SciPy, which GLUE's scorer asks, answers NaN; here it is 0,
 * because scores are drawn and compared.
 */
export function pearson(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  // Asked of the values, because the mean of a constant need not equal it to the last bit.
  if (isConstant(predicted) || isConstant(labels)) return 0;
  const n = labels.length;
  const meanOf = (values: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[i]!;
    return sum / n;
  };
  const [meanP, meanL] = [meanOf(predicted), meanOf(labels)];
  let cross = 0;
  let squaresP = 0;
  let squaresL = 0;
  for (let i = 0; i < n; i++) {
    const [p, l] = [predicted[i]! - meanP, labels[i]! - meanL];
    cross += p * l;
    squaresP += p * p;
    squaresL += l * l;
  }
  return ratio(cross, Math.sqrt(squaresP * squaresL));
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. */
export function spearman(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  return pearson(ranks(predicted), ranks(labels));
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const rank = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to += 1;
    for (let i = from; i < to; i++) rank[order[i]!] = (from + to - 1) / 2;
    from = to;
  }
  return rank;
}

const ratio = (top: number, bottom: number) => (bottom > 0 ? top / bottom : 0);

/** Index of the largest logit of each row of (B, labels); the first of equals. */
export function predictedClasses(logits: Float32Array, labelCount: number): Int32Array {
  return Int32Array.from({ length: logits.length / labelCount }, (_, row) => {
    let best = 0;
    for (let c = 1; c < labelCount; c++) {
      if (logits[row * labelCount + c]! > logits[row * labelCount + best]!) best = c;
    }
    return best;
  });
}

/** (B,labels) zeros and ones: labels whose probability, the sigmoid of the logit, is at least `threshold`. */
export function predictedLabels(logits: Float32Array, threshold: number): Uint8Array {
  const least = Math.log(threshold / (1 - threshold));
  return Uint8Array.from(logits, (logit) => Number(logit >= least));
}
