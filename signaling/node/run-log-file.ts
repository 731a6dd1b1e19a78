import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { RunLogSink } from '../../web/session/world/environment.ts';
import { PRIVATE_MODE } from './whole-file.ts';

/** What is owed to a disk that is full; beyond it the oldest goes. */
const MAX_OWED_BYTES = 16 * 2 ** 20;
/** Of a longer file only this much of its end is looked at. */
const MAX_READ_BYTES = 256 * 2 ** 20;
const NEWLINE = 0x0a;

/**
 * A run's log as a file of JSON lines. A line is with the operating system when `add` returns, so that it is there to be read whatever
 * becomes of this process. Nothing that lies in the file is ever removed: what comes is appended.
 */
export class RunLogFile implements RunLogSink {
  readonly #path: string;
  #owed = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  begin(lines: readonly string[]): void {
    const before = this.#before();
    // A line that was cut off stays alone.
    if (before.length > 0 && before.at(-1) !== NEWLINE) this.#owe('\n');
    const [first] = lines;
    // Gone on with beside its own log: only what is new is missing there.
    if (first === undefined || before.includes(`${first}\n`)) this.#write();
    else this.add(lines);
  }

  add(lines: readonly string[]): void {
    this.#owe(lines.map((line) => `${line}\n`).join(''));
    this.#write();
  }

  #owe(text: string): void {
    const owed = Buffer.concat([this.#owed, Buffer.from(text)]);
    const excess = owed.length - MAX_OWED_BYTES;
    this.#owed = excess > 0 ? owed.subarray(owed.indexOf(NEWLINE, excess) + 1) : owed;
  }

  #before(): Buffer {
    return this.#withFile('a+', (file) => {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, MAX_READ_BYTES));
      readSync(file, bytes, 0, bytes.length, size - bytes.length);
      return bytes;
    });
  }

  /** Opened each time, so that a log which somebody moved away goes on in a new file. */
  #write(): void {
    this.#withFile('a', (file) => {
      while (this.#owed.length > 0) this.#owed = this.#owed.subarray(writeSync(file, this.#owed));
    });
  }

  #withFile<T>(flags: 'a' | 'a+', use: (file: number) => T): T {
    try {
      const file = openSync(this.#path, flags, PRIVATE_MODE);
      try {
        return use(file);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw new Error(`The log could not be written (${error instanceof Error ? error.message : error}).`);
    }
  }
}
