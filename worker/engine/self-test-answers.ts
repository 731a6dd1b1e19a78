/** What the reference engine computes for the self-test's model; its test says so again. */
export const EXPECTED_LOSS = 4.50119482;

export const EXPECTED_GRADIENTS: Readonly<Record<string, { readonly norm: number; readonly signed: number }>> = {
  'lora.layer.0.query.A': { norm: 2.49350302, signed: 3.44625428 },
  'lora.layer.0.query.B': { norm: 2.62511926, signed: -2.12542158 },
  'lora.layer.0.value.A': { norm: 4.12774823, signed: -4.1423651 },
  'lora.layer.0.value.B': { norm: 3.37742533, signed: -0.102320261 },
  'lora.layer.0.output.dense.A': { norm: 3.94188826, signed: 3.07202898 },
  'lora.layer.0.output.dense.B': { norm: 5.8856191, signed: 1.76208869 },
  'lora.layer.1.query.A': { norm: 3.48827283, signed: -1.65662532 },
  'lora.layer.1.query.B': { norm: 1.97908329, signed: 1.86745676 },
  'lora.layer.1.value.A': { norm: 5.74881806, signed: 6.11111228 },
  'lora.layer.1.value.B': { norm: 4.43279954, signed: -9.94315862 },
  'lora.layer.1.output.dense.A': { norm: 5.58548857, signed: -7.48406444 },
  'lora.layer.1.output.dense.B': { norm: 4.79853428, signed: 2.09112301 },
  'classifier.dense.weight': { norm: 6.92371879, signed: -4.34405808 },
  'classifier.dense.bias': { norm: 0.863138663, signed: -0.0623699878 },
  'classifier.out_proj.weight': { norm: 6.91791697, signed: 10.5542655 },
  'classifier.out_proj.bias': { norm: 0.754094418, signed: 1.14525363 },
};
