import { describe, expect, it } from 'vitest';
import { changes, isIdle, knock, newAccount, settle, standingAt, watch } from '../../signaling/cloudflare/account.ts';
import { DEFAULT_LIMITS } from '../../signaling/connection/bounds/limits.ts';
import { Play } from '../connection/play.ts';

const LIMITS = {
  ...DEFAULT_LIMITS,
  connectionsOfAddress: 3,
  openingsOfAddress: { perSecond: 1, burst: 5 },
  wrongGuessesOfAddress: { perSecond: 0.5, burst: 10 },
};
const NOTHING = { connections: 0, rooms: 0, guesses: 0, looks: 0 };

describe('the account of an address', () => {
  it('lets in as many connections as it may have at all rooms together, and one more when a room says that one is gone', () => {
    let account = newAccount(LIMITS, 0);
    const come = (code: string): string | null => {
      const { account: next, refused } = knock(account, { code, makes: false }, LIMITS, 0);
      account = next;
      return refused;
    };
    expect([come('a'), come('b'), come('b')]).toEqual([null, null, null]);
    expect(come('c')).toBe('Too many connections from this address.');
    account = settle(account, { ...NOTHING, code: 'b', connections: 1 }, LIMITS, 0);
    expect(come('c')).toBeNull();
  });

  it('opens no more in a second than it may', () => {
    let account = newAccount(LIMITS, 0);
    const refusals = Array.from({ length: 7 }, (_, i) => {
      const { account: next, refused } = knock(account, { code: `${i}`, makes: false }, LIMITS, 0);
      account = settle(next, { ...NOTHING, code: `${i}` }, LIMITS, 0);
      return refused !== null;
    });
    expect(refusals).toEqual([false, false, false, false, false, true, true]);
    expect(knock(account, { code: 'x', makes: false }, LIMITS, 1000).refused).toBeNull();
  });

  it('counts a room from the wish for it on, at other rooms alone', () => {
    let { account } = knock(newAccount(LIMITS, 0), { code: 'a', makes: true }, LIMITS, 0);
    expect([standingAt(account, 'a').roomsElsewhere, standingAt(account, 'b').roomsElsewhere]).toEqual([0, 1]);
    // It was a look at the form, no more.
    account = settle(account, { ...NOTHING, code: 'a' }, LIMITS, 0);
    expect(standingAt(account, 'b').roomsElsewhere).toBe(0);
  });

  it('owes what was guessed at many rooms at once', () => {
    let account = newAccount(LIMITS, 0);
    for (let i = 0; i < 50; i++) account = settle(account, { ...NOTHING, code: `${i}`, guesses: 1 }, LIMITS, 0);
    expect(standingAt(account, 'x').guesses).toEqual({ left: -40, atMs: 0 });
    // At half a guess a second: nothing is owed after 80 s, and all is there again after 20 s more.
    account = settle(account, { ...NOTHING, code: 'x' }, LIMITS, 80_000);
    expect(standingAt(account, 'x').guesses.left).toBe(0);
    expect([isIdle(account, LIMITS, 99_000), isIdle(account, LIMITS, 100_000)]).toEqual([false, true]);
  });

  it('believes a room for half an hour that does not say again what is there', () => {
    const { account } = knock(newAccount(LIMITS, 0), { code: 'lost', makes: true }, LIMITS, 0);
    const half = 30 * 60_000;
    expect([isIdle(account, LIMITS, half - 1), isIdle(account, LIMITS, half)]).toEqual([false, true]);
  });

  it('is told what changed at a room, and nothing when nothing did', () => {
    const play = new Play({}, {});
    const limits = DEFAULT_LIMITS;
    const before = watch(play.core);
    const { room } = play.host('hosthost', 'home');
    const made = watch(play.core);
    expect(changes(before, made, limits, play.nowMs)).toEqual([
      { address: 'home', connections: 1, rooms: 1, guesses: 0, looks: 0 },
    ]);
    expect(changes(made, made, limits, play.nowMs + 60_000)).toEqual([]);
    play.join(room === '222222' ? '333333' : '222222', 'stranger0', 'away');
    const guessed = watch(play.core);
    play.join(room === '222222' ? '333333' : '222222', 'stranger1', 'away');
    expect(changes(guessed, watch(play.core), limits, play.nowMs)).toEqual([
      { address: 'away', connections: 2, rooms: 0, guesses: 1, looks: 0 },
    ]);
  });
});
