import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { keepDoor } from '../../signaling/cli/demo/demo-door.ts';
import type { Waiting } from '../../signaling/protocol/door.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';

const phone: Waiting = {
  id: 'phone0000',
  name: 'phone',
  kind: 'tab',
  watch: false,
  withPass: true,
  likeRemoved: false,
};
const spy: Waiting = { ...phone, id: 'spyspyspy', name: 'spy', kind: 'headless', withPass: false, likeRemoved: true };

/** A session whose host is at a terminal; `typed` settles when a line has been taken. */
function scene(admitAll: boolean) {
  const store = new ViewStore('host', 'hosthost');
  const done: string[] = [];
  const said: string[] = [];
  const input = new PassThrough();
  const act = (what: string) => (device: string) => void done.push(`${what} ${device}`);
  const entrance = { admit: act('admit'), refuse: act('refuse'), remove: act('remove') };
  const session = {
    get view() {
      return store.view;
    },
    subscribe: (listener: Parameters<ViewStore['subscribe']>[0]) => store.subscribe(listener),
    entrance,
  };
  const close = keepDoor(session, admitAll, (line) => said.push(line), input);
  const wait = (...waiting: Waiting[]): void =>
    store.dispatch({ type: 'message', message: { type: 'entrance', entrance: { door: 'ask', cap: 64, waiting } } });
  const type = async (line: string): Promise<void> => {
    input.write(`${line}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { done, said, wait, type, close, store };
}

describe('a host at the terminal', () => {
  it('is asked about one after the other, and answers', async () => {
    const { done, said, wait, type, close } = scene(false);
    wait(phone, spy);
    wait(phone, spy);
    expect(said).toEqual([expect.stringMatching(/^ {2}At the door: "phone", a browser, has the link\. y lets it in/)]);
    await type('perhaps');
    expect([done, said.at(-1)]).toEqual([[], '  y, n or r.']);
    await type(' Y ');
    wait(spy);
    expect(said.at(-1)).toContain('"spy", a headless device, has the code alone, from where you removed somebody');
    await type('r');
    // Nobody is there any more.
    wait();
    await type('y');
    wait(phone);
    await type('n');
    expect(done).toEqual(['admit phone0000', 'remove spyspyspy', 'refuse phone0000']);
    close();
    wait(spy);
    expect(said.filter((line) => line.includes('"spy"'))).toHaveLength(1);
  });

  it('who lets in all is not asked, and lets each in once', () => {
    const { done, said, wait, close } = scene(true);
    wait(phone);
    wait(phone, spy);
    wait(spy);
    wait();
    wait(phone);
    expect(done).toEqual(['admit phone0000', 'admit spyspyspy', 'admit phone0000']);
    expect(said).toEqual([]);
    close();
  });
});
