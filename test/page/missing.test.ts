import { describe, expect, it } from 'vitest';
import { missingWords } from '../../web/page/missing/missing-words.ts';

const SECURE = { secure: true, gpu: 'there' } as const;
const PLAIN = { secure: false, gpu: 'none' } as const;
const LAN = ['https://192.168.1.20:8787', 'https://10.0.0.2:8787'];

describe('what a browser keeps from the page', () => {
  it('is not talked about where nothing is missing', () => {
    expect(missingWords(SECURE, LAN, 'https://192.168.1.20:8787/')).toBeNull();
  });

  it.each([
    [
      'the name that was opened',
      'http://10.0.0.2:8787/#room=abc234&secret=x',
      'https://10.0.0.2:8787/#room=abc234&secret=x',
    ],
    ['the first one that there is', 'http://desk:8787/#room=abc234', 'https://192.168.1.20:8787/#room=abc234'],
  ])('by plain http leads to https at %s, with the invitation', (_which, page, href) => {
    const words = missingWords(PLAIN, LAN, page);
    expect(words?.link).toEqual({ href, text: 'Open it over https' });
    expect(words?.lost).toContain('plain http');
    expect(words?.step).toBe('');
  });

  it('keeps the path of a page behind a proxy', () => {
    const words = missingWords(PLAIN, ['https://example.org/tabloom'], 'http://example.org/tabloom/#room=abc234');
    expect(words?.link?.href).toBe('https://example.org/tabloom/#room=abc234');
  });

  it('by plain http where there is no https says who can offer it, before a word on the graphics processor', () => {
    const words = missingWords(PLAIN, ['http://192.168.1.20:8787'], 'http://192.168.1.20:8787/');
    expect(words?.link).toBeNull();
    expect(words?.step).toContain('--lan');
    expect(words?.lost).not.toContain('WebGPU');
  });

  it('says of a secure page which of the two it is: no WebGPU, or nothing that it runs on', () => {
    expect(missingWords({ secure: true, gpu: 'none' }, [], 'https://a/')?.step).toContain('Firefox');
    const software = missingWords({ secure: true, gpu: 'software' }, [], 'https://a/');
    expect(software?.lost).toContain('driver in software here, slower than WebAssembly');
    for (const gpu of ['no-adapter', 'software'] as const)
      expect(missingWords({ secure: true, gpu }, [], 'https://a/')?.step).toContain('hardware acceleration');
  });
});
