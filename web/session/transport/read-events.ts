import * as say from '../../words/session/transport.ts';

/** Of one event; the longest message is shorter. */
const MAX_EVENT_CHARACTERS = 1024 * 1024;

/**
 * Reads server-sent events, of which every one is a single line of data, until the stream ends. Rejects where the stream does, and on an
 * event that is too long.
 */
export async function readEvents(body: ReadableStream<Uint8Array>, event: (data: string) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARACTERS) throw new Error(say.theServerSentAnEvent);
    for (const line of lines) if (line.startsWith('data: ')) event(line.slice('data: '.length));
  }
}
