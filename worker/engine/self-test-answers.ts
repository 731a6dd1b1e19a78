/** What the reference engine computes for the self-test's model; its test says so again. */
export const EXPECTED_LOSS = 6.0137316;

export const EXPECTED_GRADIENTS: Readonly<Record<string, { readonly norm: number; readonly signed: number }>> = {
  'lora.layer.0.query.A': { norm: 4.43274561, signed: 6.65193635 },
  'lora.layer.0.query.B': { norm: 4.67677059, signed: -2.33766487 },
  'lora.layer.0.value.A': { norm: 7.80072976, signed: -5.83448735 },
  'lora.layer.0.value.B': { norm: 5.62014446, signed: 1.54528367 },
  'lora.layer.0.output.dense.A': { norm: 8.68574897, signed: 12.3690288 },
  'lora.layer.0.output.dense.B': { norm: 9.65657096, signed: -0.546605741 },
  'lora.layer.1.query.A': { norm: 6.00561342, signed: -0.408890986 },
  'lora.layer.1.query.B': { norm: 3.78049233, signed: 0.968752306 },
  'lora.layer.1.value.A': { norm: 8.01981192, signed: 9.61691791 },
  'lora.layer.1.value.B': { norm: 6.55456443, signed: -19.6946384 },
  'lora.layer.1.output.dense.A': { norm: 9.89607288, signed: -10.1592413 },
  'lora.layer.1.output.dense.B': { norm: 6.28714062, signed: 3.73108229 },
  'classifier.dense.weight': { norm: 10.9907303, signed: -4.82233713 },
  'classifier.dense.bias': { norm: 1.26403848, signed: -0.631522626 },
  'classifier.out_proj.weight': { norm: 10.0615099, signed: 19.6732151 },
  'classifier.out_proj.bias': { norm: 0.10393873, signed: 0.139632793 },
};
