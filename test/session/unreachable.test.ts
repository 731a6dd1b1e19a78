import { describe, expect, it } from 'vitest';
import { triedOf, Unreachable, unreachableSentence } from '../../web/session/transport/unreachable.ts';

const TRIED = { hasRelay: true, ownRelay: true, otherRelay: true, answered: true };
const candidate = (end: 'local' | 'remote', candidateType: string) => ({ type: `${end}-candidate`, candidateType });

describe('two tabs that do not reach each other', () => {
  it.each([
    [{ answered: false }, 'No answer came from Ada. Is its tab in front, and its screen on?'],
    [
      { hasRelay: false },
      /^This device and Ada do not reach each other directly, and this server has no relay\. Bring/,
    ],
    [{ ownRelay: false }, /directly, and this device does not reach the relay\. Try another network on this device\.$/],
    [{ otherRelay: false }, /directly, and Ada does not reach the relay\. Try another network there\.$/],
    [{}, /directly, nor through the relay\. Try another network on one of them\.$/],
  ])('are told by which ways they tried, and what to do: %o', (change, sentence) => {
    const said = unreachableSentence({ ...TRIED, ...change }, 'Ada');
    if (typeof sentence === 'string') expect(said).toBe(sentence);
    else expect(said).toMatch(sentence);
    // A notice may have so many characters.
    expect(said.length).toBeLessThan(400);
  });

  it('are known by their addresses', () => {
    const turn = [{ urls: 'stun:a.example' }, { urls: 'turn:b.example:3478' }];
    const both = [candidate('local', 'host'), candidate('local', 'relay'), candidate('remote', 'host')];
    expect(triedOf(both, turn)).toEqual({ hasRelay: true, ownRelay: true, otherRelay: false, answered: true });
    expect(triedOf([candidate('local', 'host'), null, 7, {}], [{ urls: 'stun:a.example' }])).toEqual({
      hasRelay: false,
      ownRelay: false,
      otherRelay: false,
      answered: false,
    });
    expect(triedOf([candidate('remote', 'relay')], [])).toMatchObject({ otherRelay: true, answered: true });
  });

  it('are called by their names where those are known', () => {
    const unreachable = new Unreachable({ ...TRIED, answered: false });
    expect(unreachable.message).toContain('from the other device.');
    expect(unreachable.named('Ben').message).toContain('from Ben.');
  });
});
