import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ModelSourceSchema, SessionSettingsSchema, UPLOADS } from '../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';
import { SETTINGS } from './samples.ts';

describe('where a model is', () => {
  const hub = { kind: 'hub', id: 'FacebookAI/roberta-base', endpoint: 'https://hub.example', revision: 'main' };
  const reads = (change: object) => v.safeParse(ModelSourceSchema, { ...hub, ...change }).success;

  it('is a repository on the web', () => {
    for (const id of ['roberta-base', 'FacebookAI/roberta-large', 'a.b/c_d-1.5', '.a/..b'])
      expect(reads({ id })).toBe(true);
    expect(reads({ endpoint: 'http://127.0.0.1:8787/hub' })).toBe(true);
    for (const revision of ['v1.0', 'refs/pr/1', 'feature/long-context', 'e2da8e2f811d1448a5b465c236feacd80ffbac7b'])
      expect(reads({ revision })).toBe(true);
    for (const endpoint of ['https://hub.example/', 'https://hub.example/mirror/hf', 'http://[::1]:8080/hub'])
      expect(reads({ endpoint })).toBe(true);
  });

  it.each([
    ['a file of the device', { endpoint: 'file:///etc/' }],
    ['another scheme', { endpoint: 'data:text/plain,x' }],
    ['no address', { endpoint: 'hub' }],
    ['a way out of the repository', { id: '../secret' }],
    ['a way out at the end', { id: 'a/..' }],
    ['a way out by the revision', { revision: '..' }],
    ['one inside of the revision', { revision: 'refs/../../x' }],
    ['a revision with an empty part', { revision: 'refs//1' }],
    ['a question', { endpoint: 'http://hub.example/?a=' }],
    ['a part of a page', { endpoint: 'http://hub.example/#' }],
    ['an account', { endpoint: 'http://user:pass@hub.example' }],
    ['a way out by the endpoint', { endpoint: 'http://hub.example/a/../b' }],
    ['one that is written otherwise', { endpoint: 'http://hub.example/%2e%2e/' }],
    ['a backslash', { endpoint: 'http://hub.example\\x' }],
    ['white space', { endpoint: 'http://hub.example/ x' }],
    ['a path', { id: 'a/b/c' }],
  ])('is not %s', (_, change) => {
    expect(reads(change)).toBe(false);
  });
});

describe('the storage of the weights', () => {
  it('is one of three, and must be said', () => {
    for (const weights of ['f32', 'f16', 'int8'])
      expect(v.safeParse(SessionSettingsSchema, { ...SETTINGS, weights }).success).toBe(true);
    expect(v.safeParse(SessionSettingsSchema, { ...SETTINGS, weights: 'int4' }).success).toBe(false);
    const { weights: _, ...without } = SETTINGS;
    expect(v.safeParse(SessionSettingsSchema, without).success).toBe(false);
  });
});

describe('what gradients are rounded to on their way', () => {
  const { uploads: _, ...older } = SETTINGS.training;
  const read = (uploads: unknown) =>
    v.safeParse(SessionSettingsSchema, {
      ...SETTINGS,
      training: { ...older, ...(uploads !== undefined && { uploads }) },
    });

  it('is one of three, and nothing where settings of an earlier release do not say', () => {
    for (const uploads of UPLOADS) expect(read(uploads).success).toBe(true);
    expect(UPLOADS).toHaveLength(3);
    for (const uploads of ['int4', '', 16, null, ['f16']]) expect(read(uploads).success).toBe(false);
    const said = read(undefined);
    expect(said.success && said.output.training.uploads).toBe('f32');
  });
});

describe('adapters layer by layer', () => {
  // Six layers.
  const read = (change: object): v.SafeParseResult<typeof SessionSettingsSchema> =>
    v.safeParse(SessionSettingsSchema, { ...SETTINGS, lora: { ...SETTINGS.lora, ...change } });

  it('need not be said, and are kept as they are said', () => {
    expect(read({}).output).toEqual(SETTINGS);
    const said = { layers: [0, 3, 5], rankPattern: { 3: 256, 5: 1 }, alphaPattern: { 0: 10_000 }, rslora: true };
    expect(read(said).output).toEqual({ ...SETTINGS, lora: { ...SETTINGS.lora, ...said } });
  });

  it.each([
    ['no layer', { layers: [] }],
    ['a layer twice', { layers: [1, 1] }],
    ['another order', { layers: [3, 1] }],
    ['half a layer', { layers: [0.5] }],
    ['a layer below the first', { layers: [-1] }],
    ['a layer that the model lacks', { layers: [5, 6] }],
    ['the last ones, which a host names', { layers: { top: 2 } }],
    ['a rank of 0', { rankPattern: { 3: 0 } }],
    ['a rank too large', { rankPattern: { 3: 257 } }],
    ['half a rank', { rankPattern: { 3: 1.5 } }],
    ['a rank of a layer that has no adapters', { layers: [1], rankPattern: { 3: 4 } }],
    ['a rank by a module', { rankPattern: { query: 4 } }],
    ['a rank by another writing of a layer', { rankPattern: { '03': 4 } }],
    ['an alpha of 0', { alphaPattern: { 3: 0 } }],
    ['an alpha too large', { alphaPattern: { 3: 10_001 } }],
    ['an alpha of a layer that the model lacks', { alphaPattern: { 6: 4 } }],
    ['rank-stabilised not', { rslora: false }],
  ])('cannot be %s', (_, change) => {
    expect(read(change).success).toBe(false);
  });

  it('are refused with the reason', () => {
    expect(read({ layers: [2, 9] }).issues?.[0].message).toBe(
      "Adapters are asked for on layer 9; the model's layers are 0 to 5.",
    );
  });
});

describe('the version of settings', () => {
  const read = (version: unknown) => v.safeParse(SessionSettingsSchema, { ...SETTINGS, version });

  it('is kept, and is the first where settings tell none', () => {
    expect(read(SETTINGS_VERSION).output).toEqual(SETTINGS);
    const { version: _, ...first } = SETTINGS;
    expect(v.parse(SessionSettingsSchema, first).version).toBe(1);
  });

  it('of a later release is refused with what to do', () => {
    const later = read(SETTINGS_VERSION + 1);
    expect(later.success).toBe(false);
    expect(later.issues?.[0].message).toContain('reload this page');
    for (const wrong of [0, 1.5, '2']) expect(read(wrong).success).toBe(false);
  });
});
