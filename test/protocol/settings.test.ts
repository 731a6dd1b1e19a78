import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ModelSourceSchema, SessionSettingsSchema } from '../../signaling/protocol/settings.ts';
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
