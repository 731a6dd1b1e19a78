import type { Precision, WeightPrecision } from '../kernel.ts';

/** What makes another pipeline. */
export interface MatmulVariant {
  readonly weight: 'rows' | 'columns';
  readonly xPrecision: Precision;
  /** With `int8` the buffer of the bias holds the scales of W's rows after it, and is bound in both directions. */
  readonly weightPrecision: WeightPrecision;
  readonly outPrecision: Precision;
  readonly bias: boolean;
  readonly lora: boolean;
  /** 'keep' also writes the preactivation; 'slope' multiplies by the derivative at it. */
  readonly gelu?: 'apply' | 'keep' | 'slope';
  /** Precision of the preactivation and of the residual, which are saved or handed on from layer to layer. */
  readonly activationPrecision: Precision;
  readonly dropout: boolean;
  /** 'residual' is another buffer; 'out' adds to what the output holds. */
  readonly add?: 'residual' | 'out';
}
