import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Every colour token as its light and dark value, from `light-dark(#rrggbb, #rrggbb)`. */
const css = readFileSync(new URL('../../web/page/style/tokens.css', import.meta.url), 'utf8');
const TOKENS = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name!,
    [light!, dark!] as const,
  ]),
);

/** WCAG 2.2 relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const YARNS = Array.from({ length: 8 }, (_, i) => `yarn-${i}`);

describe('contrast of the tokens', () => {
  it('is known for black on white', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 6);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });

  it.each([
    ['ink', 'ground', 7],
    ['ink', 'raised', 7],
    ['muted', 'ground', 4.5],
    ['muted', 'raised', 4.5],
    ['accent', 'ground', 4.5],
    ['accent', 'raised', 4.5],
    ['on-accent', 'accent', 4.5],
    ['danger', 'ground', 4.5],
    ['danger', 'raised', 4.5],
    ['warn', 'ground', 4.5],
    ['ink', 'danger-ground', 4.5],
    ['control', 'ground', 3],
    ['control', 'raised', 3],
    ['loss', 'ground', 3],
    ['score', 'ground', 3],
    ['beam', 'ground', 3],
    ...YARNS.map((yarn) => [yarn, 'ground', 3] as const),
    ...YARNS.map((yarn) => ['on-yarn', yarn, 4.5] as const),
  ] as const)('%s on %s is at least %d, light and dark', (front, back, least) => {
    const [one, other] = [TOKENS.get(front)!, TOKENS.get(back)!];
    for (const scheme of [0, 1] as const) expect(contrast(one[scheme], other[scheme])).toBeGreaterThanOrEqual(least);
  });
});
