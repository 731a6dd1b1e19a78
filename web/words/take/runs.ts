import type { Said } from '../said.ts';

// kept-runs.ts
export const round = 'round';
export const rounds = 'rounds';
export const rate = (learningRate: Said): string => `rate ${learningRate}`;
export const rank = (rank: Said): string => `rank ${rank}`;
export const device = 'device';
export const devices = 'devices';
export const roundsOf = (rounds: Said, samplesPerRound: Said): string => `${rounds} of ${samplesPerRound}`;
