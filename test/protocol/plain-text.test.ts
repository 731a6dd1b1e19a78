import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parseClientMessage } from '../../signaling/protocol/messages.ts';
import { NameSchema, SentenceSchema } from '../../signaling/protocol/room-view.ts';
import { comparableName, plainText, textSchema, utf8Bytes } from '../../signaling/protocol/text/plain-text.ts';
import { profile } from './samples.ts';

describe('plain text', () => {
  it.each([
    ['a name', 'Zoë’s phone 2', 'Zoë’s phone 2'],
    ['other scripts', '张伟的手机 📱', '张伟的手机 📱'],
    ['lines', 'one\r\ntwo\u2028three\tfour', 'one two three four'],
    ['control characters', 'a\u0001b\u001b[31mc\u007fd\u0085', 'ab[31mcd'],
    ['what turns the reading', '\u202egnp.exe\u2066x\u2069\u200f', 'gnp.exex'],
    ['what nobody sees', 'a\u200bb\u00adc\ufeffd\u2060e\u3164f\u{e0041}g', 'abcdefg'],
    ['half a pair', 'a\ud800b\udc00c', 'abc'],
    ['private use', 'a\ue000b', 'ab'],
    ['blanks of other widths', '\u00a0a\u2003b\u3000', 'a b'],
    ['nothing to see', '\u0001\u200b\u202e ', ''],
  ])('keeps of %s what a person sees', (_, text, plain) => {
    expect(plainText(text)).toBe(plain);
    expect(plainText(plain)).toBe(plain);
  });

  it('takes at most three bytes for each unit of it as JSON', () => {
    const every = Array.from({ length: 0x10000 }, (_, i) => String.fromCharCode(i)).join('');
    for (let from = 0; from < every.length; from += 4096) {
      const plain = plainText(every.slice(from, from + 4096)).replace(/["\\]/g, '');
      expect(utf8Bytes(JSON.stringify(plain))).toBeLessThanOrEqual(3 * plain.length + 2);
    }
  });

  it.each(['', 'abc', 'é', '界', '📱', 'a\ud800', '\udc00a', '📱\ud83d', '\ud83d📱'])(
    '%j has the bytes that it is sent as',
    (text) => {
      expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
    },
  );

  it.each([
    ['Ａｎｎ', 'Ann'],
    ['ﬁne', 'FINE'],
    ['Ann\u200b', 'ann'],
    ['A\u0301nn', 'Ánn'],
    ['Ann 2', 'Ann ２'],
  ])('%s and %s are the same name to a person', (a, b) => {
    expect(comparableName(a)).toBe(comparableName(b));
  });

  it('is refused when too long or empty, after it was made plain', () => {
    const schema = textSchema(3);
    const read = (text: string): string | null => {
      const result = v.safeParse(schema, text);
      return result.success ? result.output : null;
    };
    expect([read('ab\u0001c'), read('abcd'), read('\u0001'), read('x'.repeat(25))]).toEqual(['abc', null, null, null]);
    expect(v.safeParse(NameSchema, '\u202e\u0001').success).toBe(false);
    expect(v.safeParse(SentenceSchema, 'no\nlines').output).toBe('no lines');
  });

  it('is all that a device can put into a view', () => {
    const dirty = 'x\u0001\u202e\u2028y';
    const messages = [
      { type: 'status', status: { kind: 'failed', sentence: dirty } },
      {
        type: 'status',
        status: {
          kind: 'loading',
          done: 1,
          total: 2,
          transfer: { bytes: 1, totalBytes: 2, bytesPerSecond: 0, secondsLeft: null, remark: dirty },
        },
      },
      { type: 'profile', profile: { ...profile(), backend: dirty } },
    ];
    for (const message of messages) {
      const parsed = parseClientMessage(JSON.stringify(message));
      expect(parsed.ok).toBe(true);
      expect(JSON.stringify(parsed)).toContain('x y');
      expect(JSON.stringify(parsed)).not.toMatch(/\\u|\u202e|\u2028/);
    }
  });
});
