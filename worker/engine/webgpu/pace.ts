/**
 * How much work goes to the device at a time. Drivers give up on a device that is busy with one submission for seconds, and work that
 * was handed over cannot be called back; but every submission costs a little, and small models on fast devices want one for all. So
 * submissions are cut to a time, by the speed that the last ones showed.
 */
export class SubmissionPace {
  /** Rows times layers that the device does in a second; 0 until something was measured. */
  #rate = 0;
  #recorded = 0;

  /** Notes that one more layer was recorded for so many rows; true when it is time to submit. */
  layer(rows: number): boolean {
    this.#recorded += rows;
    if (this.#recorded < this.#rate * SUBMISSION_SECONDS) return false;
    this.#recorded = 0;
    return true;
  }

  /** Layers of so many rows that may be under way at a time, backward. */
  ahead(rows: number): number {
    return Math.max(MIN_AHEAD, Math.floor((this.#rate * SUBMISSION_SECONDS) / rows / BACKWARD_COST));
  }

  /** `layers` layers of `rows` rows went forward in `seconds`. */
  measured(rows: number, layers: number, seconds: number): void {
    if (layers > 0 && seconds > 0) this.#rate = (rows * layers) / seconds;
  }
}

const SUBMISSION_SECONDS = 0.3;
/** A layer's backward pass costs about twice its forward pass. */
const BACKWARD_COST = 2;
const MIN_AHEAD = 2;
