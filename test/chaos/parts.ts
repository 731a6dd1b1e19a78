import type { BrowserKind } from '../browser/find-browser.ts';
import type { LieName } from '../process/lies.ts';
import { FAULTS, type FaultKind, type Phase } from './cells.ts';
import type { RoomRequest } from './member-request.ts';
import { ALL_CELLS, LIES_TOLD, someCells } from './schedule.ts';
import { CURVE_TOLERANCE } from './verdict.ts';

export type PartName = 'whole' | 'split' | 'tabs';

export interface Part {
  readonly title: string;
  readonly rounds: number;
  readonly room: Omit<RoomRequest, 'rounds'>;
  /** Beside the host; so many of them have a part in the rounds before a fault strikes. */
  readonly devices: number;
  readonly browsers: readonly BrowserKind[];
  readonly leastDevices: number;
  /** The largest relative difference of a loss to the quiet run's. */
  readonly tolerance: number;
  /** The most that training may take on each. */
  readonly memoryBytes: number;
  readonly faults: readonly FaultKind[];
  readonly lies: readonly LieName[];
  readonly cells: (seed: number) => readonly (readonly [Phase, FaultKind])[];
}

/** Small steps and dropout; half of the compute for audits, so that a liar is found within three of its rounds. */
const RECIPE = { samplesPerRound: 10, evaluateEvery: 10, learningRate: 5e-4, audits: 0.5 } as const;

export const PARTS: Readonly<Record<PartName, Part>> = {
  whole: {
    title: 'A room of whole models',
    rounds: 200,
    room: { ...RECIPE, policy: 'data-parallel' },
    ...{ devices: 4, browsers: [], leastDevices: 3, tolerance: CURVE_TOLERANCE, memoryBytes: 2e9 },
    faults: FAULTS,
    lies: LIES_TOLD.whole,
    cells: () => ALL_CELLS,
  },
  split: {
    title: 'A split room',
    rounds: 80,
    room: { ...RECIPE, policy: 'split' },
    // roberta-mini's weights alone take 10.05 MB: nobody can hold it. The host is one of three stages; two devices stand by.
    ...{ devices: 4, browsers: [], leastDevices: 2, tolerance: CURVE_TOLERANCE, memoryBytes: 9.5e6 },
    faults: FAULTS,
    lies: LIES_TOLD.split,
    cells: (seed) => someCells(seed, FAULTS, 3),
  },
  tabs: {
    title: 'A room with tabs of two browsers',
    rounds: 60,
    room: { ...RECIPE, policy: 'data-parallel' },
    // Engines of browsers may differ from Node's; what is held here is that nothing is lost.
    ...{ devices: 2, browsers: ['chromium', 'firefox'], leastDevices: 3, tolerance: 1e-3, memoryBytes: 2e9 },
    faults: FAULTS,
    lies: LIES_TOLD.whole,
    cells: (seed) => someCells(seed, FAULTS, 2),
  },
};
