import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { proofKeyOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import { fingerprintsOf } from '../../web/session/links/fingerprints.ts';
import { beginProof, type ProofEffect, type ProofTerms, stepProof } from '../../web/session/links/proof.ts';
import { termsOf } from './link-scene.ts';

type Header = Record<string, unknown>;
type Hand = (header: Header) => Header | null;

/** Lets two ends talk until neither says anything more; `hand` is what the one in the middle does to each message. */
function talk(hostTerms: ProofTerms, deviceTerms: ProofTerms, toDevice: Hand = (m) => m, toHost: Hand = (m) => m) {
  const ends = [hostTerms, deviceTerms].map((terms) => ({ ...beginProof(terms), outcome: '', said: [] as Header[] }));
  const queue: { to: number; header: Header }[] = [];
  const perform = (from: number, effects: readonly ProofEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'send') {
        const header: Header = { ...effect.header };
        ends[from].said.push(header);
        const handed = (from === 0 ? toDevice : toHost)(structuredClone(header));
        if (handed !== null) queue.push({ to: 1 - from, header: handed });
      } else
        ends[from].outcome = effect.type === 'open' ? `${effect.proof} ${effect.digits ?? ''}`.trim() : effect.sentence;
    }
  };
  perform(0, ends[0].effects);
  perform(1, ends[1].effects);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const stepped = stepProof(ends[next.to].state, next.header);
    ends[next.to].state = stepped.state;
    perform(next.to, stepped.effects);
  }
  const [host, device] = ends;
  return { host: host.outcome, device: device.outcome, hostSaid: host.said, deviceSaid: device.said };
}

const BETWEEN = /Somebody may sit between/;
const none = { keys: {}, expected: false };
const C = 'C'.repeat(64);

describe('two ends that know the secret', () => {
  it('open, each after one message of the other and one answer', () => {
    const { host, device, hostSaid, deviceSaid } = talk(termsOf('host'), termsOf('device'));
    expect([host, device]).toEqual(['secret', 'secret']);
    for (const said of [hostSaid, deviceSaid]) expect(said.map(({ type }) => type)).toEqual(['hello', 'proof']);
  });

  it('need nothing that a page on plain http lacks', () => {
    vi.stubGlobal('crypto', undefined);
    try {
      expect(talk(termsOf('host'), termsOf('device')).host).toBe('secret');
      expect(proofKeyOf(secretOf(new Uint8Array(16)))).toHaveLength(32);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('say the HMAC that Node computes of what both see', () => {
    const { hostSaid, deviceSaid } = talk(termsOf('host'), termsOf('device'));
    const [host, device] = ['01', '02'].map((byte) => byte.repeat(32));
    const commitment = createHash('sha256')
      .update(`tabloom commitment 1 ${'03'.repeat(32)}`)
      .digest('hex');
    const protocol = hostSaid[0].protocol;
    const macOf = (role: string) =>
      createHmac('sha256', Buffer.alloc(32, 7))
        .update(
          JSON.stringify([
            ['tabloom proof 1', role, 'secret'],
            'abc234',
            'hosthost',
            'bbbbbbbb',
            ['A'.repeat(64), 'B'.repeat(64)],
            [
              ['host', protocol, host, ['secret'], commitment],
              ['device', protocol, device, ['secret'], null],
            ],
          ]),
        )
        .digest('hex');
    expect([hostSaid[1].mac, deviceSaid[1].mac]).toEqual([macOf('host'), macOf('device')]);
  });

  it.each<[string, Partial<ProofTerms>]>([
    ['another certificate of the other end', { otherFingerprint: C }],
    ['another certificate of their own', { ownFingerprint: C }],
    ['one certificate more', { otherFingerprint: `${'A'.repeat(64)} ${C}` }],
    ['another room', { room: 'abc235' }],
    ['another host', { host: 'somebody' }],
    ['another device', { device: 'cccccccc' }],
    ['another secret', { keys: { secret: proofKeyOf(secretOf(new Uint8Array(16))) } }],
  ])('part where one sees or knows %s', (_, change) => {
    for (const { host, device } of [
      talk(termsOf('host'), termsOf('device', change)),
      talk(termsOf('host', change.otherFingerprint ? { ownFingerprint: C } : change), termsOf('device')),
    ]) {
      expect(host).toMatch(BETWEEN);
      expect(device).toMatch(BETWEEN);
    }
  });
});

describe('who sits between', () => {
  it('is found who passes everything on: each end sees a certificate of the one between', () => {
    const { host, device } = talk(termsOf('host', { otherFingerprint: C }), termsOf('device', { otherFingerprint: C }));
    expect([host, device]).toEqual([expect.stringMatching(BETWEEN), expect.stringMatching(BETWEEN)]);
  });

  it.each<[string, Hand, Hand, RegExp]>([
    [
      'hands an end its own hello back',
      (m) => m,
      (m) => ({ ...m, ...(m.type === 'hello' && HOST_HELLO) }),
      /spoke before/,
    ],
    [
      'turns the roles of what is said',
      (m) => m,
      (m) => ({ ...m, ...(m.type === 'hello' && { role: 'host' }) }),
      /spoke before/,
    ],
    ['has another nonce', (m) => m, (m) => (m.type === 'hello' ? { ...m, nonce: '0'.repeat(64) } : m), BETWEEN],
    [
      'has the nonce that the host said',
      (m) => m,
      (m) => (m.type === 'hello' ? { ...m, nonce: '01'.repeat(32) } : m),
      /spoke before/,
    ],
    [
      'takes the keys out of what is said',
      (m) => m,
      (m) => (m.type === 'hello' ? { ...m, keys: [] } : m),
      /did not show/,
    ],
    [
      'changes a bit of the proof',
      (m) => m,
      (m) => (m.type === 'proof' ? { ...m, mac: `${m.mac}`.replace(/^./, (c) => (c === '0' ? '1' : '0')) } : m),
      BETWEEN,
    ],
    [
      'sends a message of its own first',
      (m) => m,
      (m) => (m.type === 'hello' ? { type: 'done' } : m),
      /older than this page/,
    ],
    ['leaves out the proof', (m) => m, (m) => (m.type === 'proof' ? { type: 'ping', sentMs: 1 } : m), /spoke before/],
    [
      'sends the digits instead of the proof',
      (m) => m,
      (m) => (m.type === 'proof' ? { type: 'digits', nonce: '0'.repeat(64) } : m),
      /spoke before/,
    ],
    [
      'has another commitment',
      (m) => m,
      (m) => (m.type === 'hello' ? { ...m, commitment: '0'.repeat(64) } : m),
      /spoke before/,
    ],
    ['adds a field to a proof', (m) => m, (m) => (m.type === 'proof' ? { ...m, more: 1 } : m), /spoke before/],
  ])('is found who %s', (_, toDevice, toHost, why) => {
    expect(talk(termsOf('host'), termsOf('device'), toDevice, toHost).host).toMatch(why);
  });

  it('is found who says what an end said itself: a proof is of one role', () => {
    const { deviceSaid } = talk(termsOf('host'), termsOf('device'));
    const greeted = stepProof(beginProof(termsOf('host')).state, deviceSaid[0]);
    const [own] = greeted.effects;
    const reflected = stepProof(greeted.state, own.type === 'send' ? own.header : null);
    expect(reflected.effects).toEqual([{ type: 'end', sentence: expect.stringMatching(BETWEEN) }]);
  });

  it('is found who says again what was said over an earlier connection', () => {
    const { deviceSaid } = talk(termsOf('host'), termsOf('device'));
    const again = termsOf('host', { nonce: new Uint8Array(32).fill(99) });
    const { host } = talk(
      again,
      termsOf('device'),
      () => null,
      (m) => deviceSaid[m.type === 'hello' ? 0 : 1],
    );
    const replayed = stepProof(stepProof(beginProof(again).state, deviceSaid[0]).state, deviceSaid[1]);
    expect(replayed.effects).toEqual([{ type: 'end', sentence: expect.stringMatching(BETWEEN) }]);
    expect(host).toBe('');
  });

  it('opens nothing to who knows no key where one is expected, and says nothing to them', () => {
    const { host, hostSaid, deviceSaid } = talk(termsOf('host'), termsOf('device', none));
    expect(host).toMatch(/did not show that it knows the link/);
    expect(hostSaid.map(({ type }) => type)).toEqual(['hello']);
    expect(deviceSaid.map(({ type }) => type)).toEqual(['hello', 'digits']);
    expect(talk(termsOf('host', none), termsOf('device')).device).toMatch(/did not show/);
  });
});

describe('two ends without a common key', () => {
  const host = termsOf('host', { expected: false });
  it('show the same six digits', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const told = talk(host, termsOf('device', { ...none, digitsNonce: new Uint8Array(32).fill(i) }));
      expect(told.host).toMatch(/^not proven \d{6}$/);
      expect(told.device).toBe(told.host);
      seen.add(told.host);
    }
    expect(seen.size).toBeGreaterThan(45);
  });

  it('show others where somebody sits between, who passes everything on', () => {
    const between = talk({ ...host, otherFingerprint: C }, termsOf('device', { ...none, otherFingerprint: C }));
    expect(between.host).toMatch(/^not proven/);
    expect(between.device).not.toBe(between.host);
  });

  it('part where the host opens another nonce than it had committed to', () => {
    const told = talk(host, termsOf('device', none), (m) =>
      m.type === 'digits' ? { ...m, nonce: '0'.repeat(64) } : m,
    );
    expect(told.device).toMatch(BETWEEN);
  });

  it('tell their nonces only in turn: the device after the commitment, the host after the device', () => {
    const silent = talk(
      host,
      termsOf('device', none),
      (m) => m,
      (m) => (m.type === 'digits' ? null : m),
    );
    expect(silent.hostSaid.map(({ type }) => type)).toEqual(['hello']);
    const deaf = talk(host, termsOf('device', none), () => null);
    expect(deaf.deviceSaid.map(({ type }) => type)).toEqual(['hello']);
    expect(JSON.stringify(deaf.deviceSaid)).not.toContain('04'.repeat(32));
    expect(JSON.stringify(silent.hostSaid)).not.toContain('03'.repeat(32));
  });

  it('know each other by the key that was agreed on after people compared', () => {
    const compared = new Uint8Array(32).fill(8);
    const known = talk(
      termsOf('host', { keys: { secret: new Uint8Array(32), compared }, expected: false }),
      termsOf('device', { keys: { compared }, expected: false }),
    );
    expect([known.host, known.device]).toEqual(['compared', 'compared']);
  });
});

const HOST_HELLO = { role: 'host', nonce: '01'.repeat(32), commitment: '0'.repeat(64) };

describe('the fingerprints of a description', () => {
  const hash = (byte: string) => Array(32).fill(byte).join(':');
  it('are those of session and media, normalised, each once', () => {
    const sdp = `v=0\r\na=fingerprint:SHA-256 ${hash('ab')}\r\nm=application 9\r\na=fingerprint:sha-256 ${hash('AB')}\r\n`;
    expect(fingerprintsOf(sdp)).toBe('AB'.repeat(32));
    const two = `a=fingerprint:sha-256 ${hash('CD')}\nm=application 9\na=fingerprint:sha-256 ${hash('AB')}\n`;
    expect(fingerprintsOf(two)).toBe(`${'AB'.repeat(32)} ${'CD'.repeat(32)}`);
  });

  it.each([
    ['none at all', 'v=0\r\n'],
    [
      'another hash beside',
      `a=fingerprint:sha-256 ${hash('AB')}\r\na=fingerprint:sha-1 ${hash('AB').slice(0, 59)}\r\n`,
    ],
    ['a hash of a wrong length', `a=fingerprint:sha-256 ${hash('AB').slice(3)}\r\n`],
    ['more in the line', `a=fingerprint:sha-256 ${hash('AB')} ${hash('CD')}\r\n`],
    ['spaces where none belong', `a=fingerprint :sha-256 ${hash('AB')}\r\n`],
  ])('are refused with %s', (_, sdp) => {
    expect(() => fingerprintsOf(sdp)).toThrow(/certificate/);
  });
});
