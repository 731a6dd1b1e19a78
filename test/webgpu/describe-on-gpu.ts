import { describe } from 'vitest';
import { dawn } from './dawn.ts';

const found = (await dawn.requestAdapter()) !== null;
const required = process.env.REQUIRE_WEBGPU === '1';

/** `describe` for what needs a device. Where there is none such suites count as skipped; with REQUIRE_WEBGPU=1 they fail. */
export const describeOnGpu: typeof describe.skip = found || required ? describe : describe.skip;
