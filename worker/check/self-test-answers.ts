import type { WeightStorage } from '../../signaling/protocol/settings.ts';

/** Loss, and of each gradient its norm and its product with a pattern of signs. */
export interface SelfTestAnswers {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, { readonly norm: number; readonly signed: number }>>;
}

/** What the reference engine computes for the self-test's model in each storage of its weights; its test says so again. */
export const SELF_TEST_ANSWERS: Readonly<Record<WeightStorage, SelfTestAnswers>> = {
  f32: {
    loss: 6.0137316,
    gradients: {
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
    },
  },
  f16: {
    loss: 6.01385113,
    gradients: {
      'lora.layer.0.query.A': { norm: 4.44018559, signed: 6.65539212 },
      'lora.layer.0.query.B': { norm: 4.68136274, signed: -2.34791654 },
      'lora.layer.0.value.A': { norm: 7.80393867, signed: -5.83797495 },
      'lora.layer.0.value.B': { norm: 5.62497134, signed: 1.54490697 },
      'lora.layer.0.output.dense.A': { norm: 8.68878633, signed: 12.3927407 },
      'lora.layer.0.output.dense.B': { norm: 9.66239172, signed: -0.549204176 },
      'lora.layer.1.query.A': { norm: 6.01232415, signed: -0.412199399 },
      'lora.layer.1.query.B': { norm: 3.78528434, signed: 0.975764554 },
      'lora.layer.1.value.A': { norm: 8.02547312, signed: 9.62451974 },
      'lora.layer.1.value.B': { norm: 6.55826806, signed: -19.7085365 },
      'lora.layer.1.output.dense.A': { norm: 9.89744682, signed: -10.1496453 },
      'lora.layer.1.output.dense.B': { norm: 6.28674544, signed: 3.72624899 },
      'classifier.dense.weight': { norm: 10.9904869, signed: -4.83038669 },
      'classifier.dense.bias': { norm: 1.26406441, signed: -0.632446601 },
      'classifier.out_proj.weight': { norm: 10.0618538, signed: 19.6638954 },
      'classifier.out_proj.bias': { norm: 0.10407748, signed: 0.139675167 },
    },
  },
  int8: {
    loss: 6.01972356,
    gradients: {
      'lora.layer.0.query.A': { norm: 4.16857993, signed: 6.15202266 },
      'lora.layer.0.query.B': { norm: 4.45531383, signed: -2.34527016 },
      'lora.layer.0.value.A': { norm: 7.62286508, signed: -6.00559331 },
      'lora.layer.0.value.B': { norm: 5.41182938, signed: 1.54507119 },
      'lora.layer.0.output.dense.A': { norm: 8.62651266, signed: 11.5856884 },
      'lora.layer.0.output.dense.B': { norm: 9.48363808, signed: -0.112993521 },
      'lora.layer.1.query.A': { norm: 5.64944561, signed: -0.37256541 },
      'lora.layer.1.query.B': { norm: 3.56242441, signed: 0.901535019 },
      'lora.layer.1.value.A': { norm: 7.81342832, signed: 9.39915455 },
      'lora.layer.1.value.B': { norm: 6.4705663, signed: -19.1607942 },
      'lora.layer.1.output.dense.A': { norm: 9.79671198, signed: -10.4519384 },
      'lora.layer.1.output.dense.B': { norm: 6.33068043, signed: 3.85527827 },
      'classifier.dense.weight': { norm: 11.0270079, signed: -4.70341585 },
      'classifier.dense.bias': { norm: 1.26408524, signed: -0.638192408 },
      'classifier.out_proj.weight': { norm: 10.0686054, signed: 19.9087122 },
      'classifier.out_proj.bias': { norm: 0.107859312, signed: 0.150232597 },
    },
  },
};
