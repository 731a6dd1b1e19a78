/** Row-major float64 matrix. Batched tensors are seen as matrices of B*T rows. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

export function zeros(rows: number, cols: number): Matrix {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

export function matrix(rows: number, cols: number, values: ArrayLike<number>): Matrix {
  if (values.length !== rows * cols) throw new RangeError(`${values.length} values for a ${rows} x ${cols} matrix.`);
  return { rows, cols, data: Float64Array.from(values) };
}

/** a b: (m,k) (k,n) to (m,n). */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const [m, k, n] = [a.rows, a.cols, b.cols];
  const out = new Float64Array(m * n);
  const [x, y] = [a.data, b.data];
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const scale = x[i * k + l]!;
      for (let j = 0; j < n; j++) out[i * n + j]! += scale * y[l * n + j]!;
    }
  return { rows: m, cols: n, data: out };
}

/** a bᵀ: (m,k) (n,k) to (m,n); what torch.nn.functional.linear does with a weight of (out,in). */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  const [m, k, n] = [a.rows, a.cols, b.rows];
  const out = new Float64Array(m * n);
  const [x, y] = [a.data, b.data];
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += x[i * k + l]! * y[j * k + l]!;
      out[i * n + j] = sum;
    }
  return { rows: m, cols: n, data: out };
}

/** aᵀ b: (m,k) (m,n) to (k,n); a sum over rows, as in weight gradients. */
export function transposedMultiply(a: Matrix, b: Matrix): Matrix {
  const [m, k, n] = [a.rows, a.cols, b.cols];
  const out = new Float64Array(k * n);
  const [x, y] = [a.data, b.data];
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const scale = x[i * k + l]!;
      for (let j = 0; j < n; j++) out[l * n + j]! += scale * y[i * n + j]!;
    }
  return { rows: k, cols: n, data: out };
}

export function add(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, i) => value + b.data[i]!) };
}

export function scaled(a: Matrix, factor: number): Matrix {
  return { ...a, data: a.data.map((value) => value * factor) };
}

/** Element by element; `mask` null stands for ones. */
export function masked(a: Matrix, mask: ArrayLike<number> | null): Matrix {
  return mask === null ? a : { ...a, data: a.data.map((value, i) => value * mask[i]!) };
}

/** Sum over rows: (m,n) to (n). */
export function columnSums(a: Matrix): Float64Array {
  const sums = new Float64Array(a.cols);
  a.data.forEach((value, i) => {
    sums[i % a.cols]! += value;
  });
  return sums;
}
