import { describe, expect, it } from 'vitest';
import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import {
  attentionMask,
  DROPOUT_SITES,
  dropoutScale,
  dropoutThreshold,
  headMasks,
  hiddenMask,
  loraSite,
} from '../../worker/engine/dropout.ts';
import { PLAIN_SITES, pcg4dPlain, plainKeep } from './plain-roberta.ts';

const key = { probability: 0.1, seed: 42, round: 3 };

describe('pcg4d', () => {
  it.each([[[0, 0, 0, 0]], [[1, 2, 3, 4]], [[0xffffffff, 0x80000000, 12345, 0xdeadbeef]]])(
    'hashes %j as its definition',
    (input) => {
      const words = Uint32Array.from(input);
      pcg4d(words);
      expect([...words]).toEqual(pcg4dPlain(input));
    },
  );
});

describe('dropout masks', () => {
  it('follow the documented formula element by element', () => {
    const mask = hiddenMask(key, 2, DROPOUT_SITES.ffnOutput, Int32Array.of(9), 3, 5);
    const [k0, k1, k2, k3] = pcg4dPlain([42, 3, 16 * 2 + 3, 9]) as [number, number, number, number];
    for (let element = 0; element < 15; element++) {
      const words = pcg4dPlain([(k0 + Math.floor(element / 4)) % 2 ** 32, k1, k2, k3]);
      expect(mask[element]).toBe(words[element % 4]! < Math.floor(0.1 * 2 ** 32) ? 0 : Math.fround(1 / 0.9));
    }
  });

  it('have a site for each place, no two the same', () => {
    const { lora, ...places } = PLAIN_SITES;
    expect(DROPOUT_SITES).toEqual(places);
    expect(LORA_TARGETS.map((target) => [target, loraSite(target)])).toEqual(Object.entries(lora));
    const sites = [...Object.values(places), ...Object.values(lora)];
    expect(sites.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, site) => site));
  });

  it('of attention probabilities count heads and queries by 512, whatever the padding', () => {
    const mask = attentionMask({ ...key, probability: 0.5 }, 3, Int32Array.of(8, 6), 2, 5);
    for (const [sample, position] of [8, 6].entries()) {
      const keep = plainKeep({ ...key, probability: 0.5 }, 3, 1, position);
      for (let head = 0; head < 2; head++)
        for (let query = 0; query < 5; query++)
          for (let at = 0; at < 5; at++)
            expect(mask[((sample * 2 + head) * 5 + query) * 5 + at]).toBe(keep((head * 512 + query) * 512 + at));
    }
  });

  it('of the head are two, of sites 10 and 11 of layer 0', () => {
    const dropout = { ...key, probability: 0.5 };
    const masks = headMasks(dropout, Int32Array.of(4, 9), 16);
    const expected = (site: number) =>
      [4, 9].flatMap((position) => Array.from({ length: 16 }, (_, i) => plainKeep(dropout, 0, site, position)(i)));
    expect([...(masks?.input ?? [])]).toEqual(expected(10));
    expect([...(masks?.activated ?? [])]).toEqual(expected(11));
    expect(headMasks({ ...key, probability: 0 }, Int32Array.of(4), 16)).toBeNull();
  });

  it('drop the stated share and keep the mean', () => {
    const mask = hiddenMask({ ...key, probability: 0.3 }, 0, loraSite('query'), Int32Array.of(0, 1), 64, 128);
    const dropped = mask.filter((value) => value === 0).length / mask.length;
    // 16,384 draws: five standard errors are 0.018.
    expect(Math.abs(dropped - 0.3)).toBeLessThan(0.018);
    expect(new Set(mask)).toEqual(new Set([0, dropoutScale(0.3)]));
  });

  it('do not depend on who else is in the batch or how far it is padded', () => {
    const together = hiddenMask(key, 1, 2, Int32Array.of(4, 7, 5), 6, 10);
    const alone = hiddenMask(key, 1, 2, Int32Array.of(7), 4, 10);
    expect(together.subarray(60, 100)).toEqual(alone);
    const wide = attentionMask(key, 1, Int32Array.of(4, 7), 2, 6);
    const narrow = attentionMask(key, 1, Int32Array.of(7), 2, 3);
    for (let head = 0; head < 2; head++)
      for (let q = 0; q < 3; q++)
        for (let k = 0; k < 3; k++) expect(narrow[(head * 3 + q) * 3 + k]).toBe(wide[((2 + head) * 6 + q) * 6 + k]);
  });

  it('differ by seed, round, layer, site and position', () => {
    const draw = (over: object, layer = 1, site = 2, position = 7) =>
      hiddenMask({ ...key, probability: 0.5, ...over }, layer, site, Int32Array.of(position), 8, 8).join();
    const masks = [draw({}), draw({ seed: 43 }), draw({ round: 4 }), draw({}, 2), draw({}, 1, 3), draw({}, 1, 2, 8)];
    expect(new Set(masks).size).toBe(masks.length);
  });

  it('drop nothing at probability 0', () => {
    expect(dropoutThreshold(0)).toBe(0);
    expect(hiddenMask({ ...key, probability: 0 }, 0, 0, Int32Array.of(0), 4, 4)).toEqual(new Float32Array(16).fill(1));
  });
});
