/** Data that cannot be used; the message is one sentence for the person who chose it. */
export class DataError extends Error {
  override readonly name = 'DataError';
}
