import { describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION, versionProblem } from '../../signaling/protocol/version.ts';

describe('the version of what is said', () => {
  it('names the side that has to be brought up to date, and is silent where both agree', () => {
    expect(versionProblem(PROTOCOL_VERSION, 'The server')).toBeNull();
    expect(versionProblem(PROTOCOL_VERSION + 1, 'The server')).toMatch(/^The server is newer than this page. Reload/);
    expect(versionProblem(PROTOCOL_VERSION - 1, 'The host')).toMatch(/^The host is older/);
  });

  it('counts a side that tells no version as the first release', () => {
    expect(versionProblem(null, 'The host')).toMatch(/^The host is older/);
  });
});
