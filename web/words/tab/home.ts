import type { Said } from '../said.ts';

// room-planner.ts
export const noDeviceIsReadyYet = 'No device is ready yet.';
export const itTookTooLong = 'it took too long';
export const thePlannerFailed = (error: Said): string => `The planner failed: ${error}`;
