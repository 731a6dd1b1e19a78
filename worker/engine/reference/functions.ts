import { type Matrix, zeros } from './matrix.ts';

/** torch.nn.functional.layer_norm over the last dimension, and its gradient with respect to the input. */
export interface LayerNormSaved {
  /** (x - mean) / std */
  readonly normalized: Matrix;
  /** 1 / std of each row. */
  readonly inverseDeviation: Float64Array;
  readonly weight: ArrayLike<number>;
}

export function layerNorm(
  x: Matrix,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  epsilon: number,
): { readonly y: Matrix; readonly saved: LayerNormSaved } {
  const n = x.cols;
  const [y, normalized] = [zeros(x.rows, n), zeros(x.rows, n)];
  const inverseDeviation = new Float64Array(x.rows);
  for (let row = 0; row < x.rows; row++) {
    const values = x.data.subarray(row * n, (row + 1) * n);
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    inverseDeviation[row] = inverse;
    for (let i = 0; i < n; i++) {
      const hat = (values[i]! - mean) * inverse;
      normalized.data[row * n + i] = hat;
      y.data[row * n + i] = hat * weight[i]! + bias[i]!;
    }
  }
  return { y, saved: { normalized, inverseDeviation, weight } };
}

/** dx = (g - mean(g) - hat * mean(g * hat)) / std, with g = dy * weight and means over a row. */
export function layerNormBackward(dy: Matrix, saved: LayerNormSaved): Matrix {
  const n = dy.cols;
  const dx = zeros(dy.rows, n);
  for (let row = 0; row < dy.rows; row++) {
    let [meanG, meanGHat] = [0, 0];
    for (let i = 0; i < n; i++) {
      const g = dy.data[row * n + i]! * saved.weight[i]!;
      meanG += g / n;
      meanGHat += (g * saved.normalized.data[row * n + i]!) / n;
    }
    for (let i = 0; i < n; i++) {
      const g = dy.data[row * n + i]! * saved.weight[i]!;
      const hat = saved.normalized.data[row * n + i]!;
      dx.data[row * n + i] = (g - meanG - hat * meanGHat) * saved.inverseDeviation[row]!;
    }
  }
  return dx;
}

/** Softmax of each row. */
export function softmax(x: Matrix): Matrix {
  const y = zeros(x.rows, x.cols);
  for (let row = 0; row < x.rows; row++) {
    const values = x.data.subarray(row * x.cols, (row + 1) * x.cols);
    const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const exponentials = values.map((value) => Math.exp(value - largest));
    const sum = exponentials.reduce((a, b) => a + b, 0);
    y.data.set(
      exponentials.map((value) => value / sum),
      row * x.cols,
    );
  }
  return y;
}

/** dx = y * (dy - sum(dy * y)), the sum over a row. */
export function softmaxBackward(dy: Matrix, y: Matrix): Matrix {
  const dx = zeros(y.rows, y.cols);
  for (let row = 0; row < y.rows; row++) {
    let sum = 0;
    for (let i = row * y.cols; i < (row + 1) * y.cols; i++) sum += dy.data[i]! * y.data[i]!;
    for (let i = row * y.cols; i < (row + 1) * y.cols; i++) dx.data[i] = y.data[i]! * (dy.data[i]! - sum);
  }
  return dx;
}

/** The exact GELU, x * Phi(x): torch.nn.functional.gelu. */
export function gelu(x: Matrix): Matrix {
  return { ...x, data: x.data.map((value) => value * normalCdf(value)) };
}

/** d gelu / dx = Phi(x) + x * phi(x). */
export function geluBackward(dy: Matrix, x: Matrix): Matrix {
  return {
    ...dy,
    data: dy.data.map((value, i) => {
      const at = x.data[i]!;
      return value * (normalCdf(at) + at * (Math.exp(-0.5 * at * at) / Math.sqrt(2 * Math.PI)));
    }),
  };
}

export function normalCdf(x: number): number {
  return 0.5 * erfc(-x / Math.SQRT2);
}

/**
 * Complementary error function to float64 precision: the Maclaurin series of erf for small arguments, the continued fraction of erfc
 * (Abramowitz and Stegun 7.1.5 and 7.1.14) beyond.
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = x;
  for (let k = 80; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
