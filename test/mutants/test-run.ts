/** What `run.ts` asks of `runner.ts`. */
export interface TestRun {
  readonly project: 'unit' | 'engine';
  readonly tests: readonly string[];
  /** The source that differs from the project's; all others are as they were. */
  readonly changed: string;
}

/** The exit code where a new process must try again. */
export const RUNNER_IS_STUCK = 75;
