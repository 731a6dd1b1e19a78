import { describe, expect, it } from 'vitest';
import { problems } from '../../web/page/session/problems.ts';
import type { NoticeKind, SessionView } from '../../web/session/view/view.ts';
import { device, plan, room, view } from './gallery/scenarios.ts';

const one = plan(6, [{ place: 0, layers: [0, 1, 2, 3, 4, 5], head: true }]);
const training = room({ devices: [device(0), device(1)], plan: one });
const keys = (change: Partial<SessionView>, putAway: readonly number[] = []) =>
  problems(view({ room: training, ...change }), new Set(putAway)).map((problem) => problem.key);
const notice = (id: number, kind: NoticeKind, sentence = `Sentence ${id}.`) => ({
  id,
  kind,
  sentence,
  elapsedSeconds: id,
});

describe('problems', () => {
  it('are none when all is well, and none once the session is over', () => {
    expect(keys({})).toEqual([]);
    expect(keys({ server: 'reconnecting', ended: 'The host ended the session.' })).toEqual([]);
  });

  it('come with the most pressing first', () => {
    const noLink = room({
      devices: [device(0), device(1, { linked: false })],
      plan: null,
      planNote: 'Nobody can hold depth 9.',
    });
    expect(
      keys({
        role: 'device',
        self: device(1).id,
        server: 'reconnecting',
        room: noLink,
        notices: [notice(4, 'problem')],
      }),
    ).toEqual(['server', 'plan', 'notice 4']);
  });

  it('say that training goes on while only the server is away', () => {
    const [server] = problems(view({ room: training, server: 'reconnecting' }), new Set());
    expect(server?.sentence).toBe(
      'The server does not answer; trying again. Links between the devices stay up, so training goes on meanwhile.',
    );
    const [before] = problems(view({ server: 'reconnecting' }), new Set());
    expect(before?.sentence).toBe('The server does not answer; trying again.');
  });

  it('show why the host’s device failed; a joined device’s screen has that for its headline', () => {
    const status = { kind: 'failed', sentence: 'The GPU was lost.' } as const;
    const [self] = problems(view({ room: training, status }), new Set());
    expect(self?.sentence).toBe(
      'This device cannot train: The GPU was lost. Other devices can train without this one.',
    );
    expect(keys({ role: 'device', self: device(1).id, status })).toEqual([]);
  });

  it('show the latest problem notice until it is put away', () => {
    const notices = [notice(1, 'problem'), notice(2, 'problem'), notice(3, 'news')];
    expect(keys({ notices })).toEqual(['notice 2']);
    expect(keys({ notices }, [2])).toEqual(['notice 1']);
    expect(keys({ notices }, [1, 2])).toEqual([]);
  });

  it('tell of work that others took over in one line, put away with all that came before it', () => {
    const notices = [1, 2, 3].map((id) => notice(id, 'moved'));
    const told = (of: typeof notices, away: readonly number[]) =>
      problems(view({ room: training, notices: of }), new Set(away));
    expect(told(notices.slice(0, 1), [])).toEqual([{ key: 'moved', sentence: 'Sentence 1.', notice: 1, mild: true }]);
    expect(told(notices, [])).toMatchObject([{ sentence: 'Sentence 3. Such things happened 3 times.', notice: 3 }]);
    expect(told(notices, [3])).toEqual([]);
  });

  it('name whom a late round waits for; a device’s own screen says it of itself', () => {
    const [late] = problems(view({ room: training }), new Set(), [device(1).id]);
    expect(late).toMatchObject({ key: 'late', mild: true });
    expect(late?.sentence).toMatch(
      /^This round waits for Pixel 8\. It was to take [\d.]+ s\. If nothing comes, others take over\.$/,
    );
    const own = { role: 'device' as const, self: device(1).id, room: training };
    expect(problems(view(own), new Set(), [device(1).id])).toEqual([]);
  });
});
