import { describe, expect, it } from 'vitest';
import { errorSentence } from '../../signaling/protocol/text/plain-error.ts';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

describe('what browsers say', () => {
  it.each([
    ['Failed to fetch', /network did not answer.*try again/],
    ['NetworkError when attempting to fetch resource.', /network did not answer/],
    ['Load failed', /network did not answer/],
    ['fetch failed', /network did not answer/],
    ['The network connection was lost.', /network did not answer/],
    ['Failed to fetch dynamically imported module: http://10.0.0.2/assets/session-Bx1.js', /Reload the page/],
    ['error loading dynamically imported module: http://x/y.js', /Reload the page/],
    ['Importing a module script failed.', /Reload the page/],
    ['Array buffer allocation failed', /too little memory/],
    ['Invalid array buffer length', /too little memory/],
    ['WebAssembly.Memory(): could not allocate memory', /too little memory/],
    ['The quota has been exceeded.', /no room left/],
    ['Unexpected token \'P\', "PK\\u0003" is not valid JSON', /damaged, or is something else/],
    ['JSON.parse: unexpected character at line 1 column 1 of the JSON data', /damaged, or is something else/],
    ['The requested file could not be read, typically due to permission problems.', /Choose it again/],
    ['A requested file or directory could not be found at the time an operation was processed.', /Choose it again/],
    ['signal timed out', /took too long/],
    ['The operation is insecure.', /does not allow/],
    ["Cannot read properties of undefined (reading 'plan')", /Reload it; what was trained is kept/],
    ["undefined is not an object (evaluating 'a.b')", /Reload it/],
  ])('%s', (message, sentence) => {
    expect(errorSentence(new Error(message), 'Nothing was said.')).toMatch(sentence);
  });

  it('is known by its name where it says nothing', () => {
    expect(errorSentence(named('QuotaExceededError', ''), 'Nothing was said.')).toMatch(/no room left/);
    expect(errorSentence(named('Error', ''), 'Nothing was said.')).toBe('Nothing was said.');
    expect(errorSentence(null, 'Nothing was said.')).toBe('Nothing was said.');
  });
});

it('leaves sentences of ours as they are', () => {
  for (const sentence of [
    'The hub has no model "nobody/nothing"; check the repository’s name.',
    'The connection to the other device failed.',
    'Layer 7 is given its own rank and carries no adapters.',
    'This checkpoint has no vector "parameters".',
  ])
    expect(errorSentence(new Error(sentence), 'x')).toBe(sentence);
});
