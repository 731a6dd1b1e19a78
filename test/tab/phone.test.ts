import { describe, expect, it } from 'vitest';
import { type Phone, type PhoneEffect, type PhoneEvent, stepPhone } from '../../web/tab/phone/phone-step.ts';

const FRONT: Phone = {
  hiddenSinceMs: null,
  isFrozen: false,
  isOnline: true,
  network: 'wifi',
  isWanted: false,
  lock: 'none',
};

/** What follows of each event, and the state at the end. */
function play(events: readonly PhoneEvent[], from: Phone = FRONT) {
  let state = from;
  const effects: (readonly PhoneEffect[])[] = [];
  for (const event of events) {
    const step = stepPhone(state, event);
    state = step.state;
    effects.push(step.effects);
  }
  return { state, effects };
}

const want: PhoneEvent = { type: 'want', wanted: true };
const unwant: PhoneEvent = { type: 'want', wanted: false };
const hidden = (atMs: number): PhoneEvent => ({ type: 'hidden', atMs });
const shown = (atMs: number): PhoneEvent => ({ type: 'shown', atMs });

describe('the screen', () => {
  it('is kept on from when it is wanted until it is not', () => {
    const { state, effects } = play([want, want, { type: 'granted' }, unwant, { type: 'released' }]);
    expect(effects).toEqual([['ask for the lock'], [], [], ['give the lock back'], []]);
    expect(state).toEqual(FRONT);
  });

  it('is asked for again after the tab was away, whose lock the browser dropped', () => {
    const { state, effects } = play([want, { type: 'granted' }, hidden(0), { type: 'released' }, shown(100)]);
    expect(effects).toEqual([['ask for the lock'], [], ['tell hidden'], [], ['tell shown', 'ask for the lock']]);
    expect(state.lock).toBe('asking');
  });

  it('is not asked for in the background', () => {
    expect(play([hidden(0), want]).effects).toEqual([['tell hidden'], []]);
    expect(play([hidden(0), want, shown(1)]).effects.at(-1)).toEqual(['tell shown', 'ask for the lock']);
  });

  it('that the browser lets go off by itself is asked for again, once it was refused not before the tab is back', () => {
    const refused = play([want, { type: 'granted' }, { type: 'released' }, { type: 'refused' }, want]);
    expect(refused.effects).toEqual([['ask for the lock'], [], ['ask for the lock'], [], []]);
    expect(refused.state.lock).toBe('refused');
    expect(play([hidden(0), shown(1)], refused.state).effects.at(-1)).toEqual(['tell shown', 'ask for the lock']);
  });

  it('that is not wanted any more when the answer comes is given back', () => {
    const { state, effects } = play([want, unwant, { type: 'granted' }]);
    expect(effects).toEqual([['ask for the lock'], [], ['give the lock back']]);
    expect(state.lock).toBe('none');
  });

  it('is left alone where browsers have no such thing', () => {
    const { state, effects } = play([want, hidden(0), shown(1), unwant], { ...FRONT, lock: 'absent' });
    expect(effects.flat()).toEqual(['tell hidden', 'tell shown']);
    expect(state.lock).toBe('absent');
  });
});

describe('connections', () => {
  it.each([
    ['a tab that was away for long enough to have slept', [hidden(1000), shown(6000)], true],
    ['a tab that was away for a moment', [hidden(1000), shown(5999)], false],
    ['a page that stood still', [{ type: 'frozen' }, { type: 'thawed' }], true],
    ['a page that is said to go on and never stood still', [{ type: 'thawed' }], false],
    ['a network that came back', [{ type: 'offline' }, { type: 'online' }], true],
    ['a network that was there', [{ type: 'online' }], false],
    ['Wi-Fi that became mobile data', [{ type: 'network', network: 'cellular' }], true],
    ['the same network, described anew', [{ type: 'network', network: 'wifi' }], false],
    ['another network that is not there yet', [{ type: 'offline' }, { type: 'network', network: 'cellular' }], false],
  ] satisfies readonly (readonly [string, readonly PhoneEvent[], boolean])[])('after %s', (_, events, looked) => {
    const told = play(events).effects.flat();
    expect(told.filter((effect) => effect === 'look at connections')).toHaveLength(looked ? 1 : 0);
  });

  it('are looked at once for a phone that slept, came back and found another network', () => {
    const { state, effects } = play([
      hidden(0),
      { type: 'frozen' },
      { type: 'network', network: 'cellular' },
      shown(60_000),
      { type: 'thawed' },
    ]);
    expect(effects.flat()).toEqual(['tell hidden', 'tell shown', 'look at connections']);
    expect(state).toEqual({ ...FRONT, network: 'cellular' });
  });

  it('are told of a tab’s place once, however often the browser says it', () => {
    expect(play([hidden(0), hidden(10), shown(20), shown(30)]).effects.flat()).toEqual(['tell hidden', 'tell shown']);
  });
});
