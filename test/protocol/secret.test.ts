import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  newSecret,
  PassSchema,
  passHashOf,
  passOf,
  proofKeyOf,
  SECRET_ALPHABET,
  SecretSchema,
  secretBytes,
  secretOf,
} from '../../signaling/protocol/door/secret.ts';

const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(new Uint8Array(bytes)).toString('hex');

describe('a secret', () => {
  it.each<[string, Uint8Array]>([
    ['00000000000000000000000000', new Uint8Array(16)],
    ['zzzzzzzzzzzzzzzzzzzzzzzzzw', new Uint8Array(16).fill(255)],
    // The most significant bit comes first: 1000 0 and 1 followed by 1 bit and 6 others.
    ['g0000000000000000000000000', Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 128 : 0))],
    ['00000000000000000000000004', Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))],
  ])('%s is its bytes and back', (text, bytes) => {
    expect(secretOf(bytes)).toBe(text);
    expect(hex(secretBytes(text))).toBe(hex(bytes));
  });

  it('is 128 bits of chance, all of them, in the alphabet that has no letter for two', () => {
    const asked: number[] = [];
    const secret = newSecret((length) => {
      asked.push(length);
      return Uint8Array.from({ length }, (_, i) => 17 * i);
    });
    expect(asked).toEqual([16]);
    expect(hex(secretBytes(secret))).toBe('00112233445566778899aabbccddeeff');
    expect(new Set(SECRET_ALPHABET).size).toBe(32);
    expect(SECRET_ALPHABET).not.toMatch(/[ilouA-Z]/);
    for (let i = 0; i < 200; i++) {
      const bytes = new Uint8Array(randomBytes(16));
      expect(v.is(SecretSchema, secretOf(bytes))).toBe(true);
      expect(hex(secretBytes(secretOf(bytes)))).toBe(hex(bytes));
    }
  });

  it.each([
    ['of another length', '0'.repeat(25)],
    ['with spare bits that are set', `${'0'.repeat(25)}1`],
    ['with a letter that is none', `u${'0'.repeat(25)}`],
    ['in capitals, which only the reader of links takes', `A${'0'.repeat(25)}`],
  ])('%s is refused', (_, text) => {
    expect(v.is(SecretSchema, text)).toBe(false);
    expect(() => secretBytes(text)).toThrow();
  });
});

describe('what is derived from a secret', () => {
  it('is what another implementation of RFC 5869 derives', () => {
    for (const bytes of [new Uint8Array(16), Uint8Array.from({ length: 16 }, (_, i) => 17 * i), randomBytes(16)]) {
      const secret = secretOf(bytes);
      const salt = new Uint8Array();
      expect(passOf(secret)).toBe(hex(hkdfSync('sha256', bytes, salt, 'tabloom pass 1', 32)));
      expect(hex(proofKeyOf(secret))).toBe(hex(hkdfSync('sha256', bytes, salt, 'tabloom proof 1', 32)));
      expect(passHashOf(passOf(secret))).toBe(createHash('sha256').update(passOf(secret)).digest('hex'));
      expect(v.is(PassSchema, passOf(secret))).toBe(true);
    }
  });

  it('differs by purpose and by every bit of the secret', () => {
    const all = Array.from({ length: 128 }, (_, bit) => {
      const bytes = new Uint8Array(16);
      bytes[bit >> 3] = 1 << (bit & 7);
      return secretOf(bytes);
    });
    const derived = all.flatMap((secret) => [passOf(secret), hex(proofKeyOf(secret))]);
    expect(new Set(derived).size).toBe(256);
  });
});
