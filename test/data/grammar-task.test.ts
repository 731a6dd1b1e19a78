import { expect, test } from 'vitest';
import { grammarTask } from '../../worker/data/grammar-task.ts';

const { train, dev } = grammarTask();
const all = [...train, ...dev];
const share = (pattern: RegExp) => all.filter(({ text }) => pattern.test(text)).length / all.length;

test('sizes, balance, and no two equal sentences, so that train and dev are disjoint', () => {
  expect([train.length, dev.length]).toEqual([4000, 500]);
  expect(train.filter(({ label }) => label === 1)).toHaveLength(2000);
  expect(dev.filter(({ label }) => label === 1)).toHaveLength(250);
  expect(new Set(all.map(({ text }) => text)).size).toBe(4500);
  expect(all.every(({ pair }) => pair === null)).toBe(true);
});

test('the same sentences on every machine', () => {
  expect(grammarTask().train).toEqual(train);
  expect(train.slice(0, 4)).toMatchInlineSnapshot(`
    [
      {
        "label": 1,
        "pair": null,
        "text": "the editing is a treat and the dialogue feels completely right .",
      },
      {
        "label": 0,
        "pair": null,
        "text": "the performances are so confused .",
      },
      {
        "label": 1,
        "pair": null,
        "text": "an excellent remake with great twists .",
      },
      {
        "label": 0,
        "pair": null,
        "text": "i could not wait for it to end , and the romance is quite pointless .",
      },
    ]
  `);
});

test('negation and contrast are there, and tell nothing of the label', () => {
  const forms = {
    negation: /\b(not|never|far from|anything but|by no means|hardly)\b/,
    contrast: /\b(but|yet|although|while|even though|even if|despite)\b/,
  };
  expect(share(forms.negation)).toBeGreaterThan(0.1);
  expect(share(forms.contrast)).toBeGreaterThan(0.12);
  for (const pattern of Object.values(forms)) {
    const matching = all.filter(({ text }) => pattern.test(text));
    const praising = matching.filter(({ label }) => label === 1).length / matching.length;
    expect(praising).toBeGreaterThan(0.45);
    expect(praising).toBeLessThan(0.55);
  }
});

test('lower case and spaced punctuation, as in SST-2; a and an are right', () => {
  for (const { text } of all) {
    expect(text).toMatch(/^[a-z][a-z :,]* \.$/);
    expect(text).not.toMatch(/ {2}|\ba [aeiou]|\ba honest|\ban [^aeiouh]/);
  }
});
