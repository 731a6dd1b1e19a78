export { randomModel, randomValues } from '../../worker/engine/random-model.ts';
