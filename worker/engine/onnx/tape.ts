import type { GraphBuilder, Value } from './graph-builder.ts';

/**
 * Writes a backward graph while a forward graph is described: every operation adds its nodes forward and pushes how to undo it;
 * `backward` then runs the undo steps from the last to the first (reverse-mode differentiation, at the time when the graph is made).
 * Only values on a path from something trained get a gradient. A forward value that an undo step uses becomes an input of the backward
 * graph and is listed in `saved`; it may be computed forward for that purpose alone.
 */
export class Tape {
  readonly forward: GraphBuilder;
  readonly back: GraphBuilder;
  /** Forward values, other than inputs, that the backward graph needs. */
  readonly saved: Set<Value> = new Set();
  readonly #differentiated = new Set<Value>();
  readonly #gradients = new Map<Value, Value>();
  readonly #undo: { readonly of: Value; readonly step: (dOutput: Value) => void }[] = [];

  /** `back` may be `forward` itself: then nothing has to be saved. */
  constructor(forward: GraphBuilder, back: GraphBuilder) {
    this.forward = forward;
    this.back = back;
  }

  /** Asks for the gradient of a graph input. */
  differentiate(input: Value): Value {
    this.#differentiated.add(input);
    return input;
  }

  needsGradient(value: Value): boolean {
    return this.#differentiated.has(value);
  }

  /** Records that `output` was computed from `inputs`; `step` gets its gradient and passes gradients on with `accumulate`. */
  record(output: Value, inputs: readonly Value[], step: (dOutput: Value) => void): Value {
    if (inputs.some((input) => this.#differentiated.has(input))) {
      this.#differentiated.add(output);
      this.#undo.push({ of: output, step });
    }
    return output;
  }

  /** A forward value inside the backward graph. */
  use(value: Value): Value {
    if (this.back === this.forward) return value;
    const type = this.forward.inputType(value);
    if (type === undefined) this.saved.add(value);
    return this.back.input(value, type);
  }

  /** Adds to the gradient of `value`; `make` is given what is there so far, to add to it in the same operation. */
  accumulate(value: Value, make: (soFar: Value | undefined) => Value): void {
    if (this.needsGradient(value)) this.#gradients.set(value, make(this.#gradients.get(value)));
  }

  gradient(value: Value): Value | undefined {
    return this.#gradients.get(value);
  }

  /** Runs the undo steps, given the gradient of the last output. */
  backward(output: Value, dOutput: Value): void {
    this.#gradients.set(output, dOutput);
    for (const { of, step } of this.#undo.toReversed()) {
      const dOutputOfStep = this.#gradients.get(of);
      if (dOutputOfStep !== undefined) step(dOutputOfStep);
    }
  }
}
