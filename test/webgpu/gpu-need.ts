import type { Need } from '../needs.ts';
import { dawn } from './dawn.ts';

const found = (await dawn.requestAdapter()) !== null;
const required = process.env.REQUIRE_WEBGPU === '1';

/** A WebGPU device in Node. Where there is none such suites count as left out; with REQUIRE_WEBGPU=1 they fail. */
export const GPU: Need = {
  here: found || required,
  reason: 'no WebGPU device in Node (README: "What the tests need")',
};
