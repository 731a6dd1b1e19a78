import { win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import { browserPaths, findBrowser, type Machine } from './find-browser.ts';

const LINUX: Machine = { platform: 'linux', env: { PATH: '/usr/local/bin:/usr/bin' } };
const MAC: Machine = { platform: 'darwin', env: { PATH: '/opt/homebrew/bin', HOME: '/Volumes/ann' } };
const WINDOWS: Machine = {
  platform: 'win32',
  env: { ProgramFiles: 'C:\\Program Files', 'ProgramFiles(x86)': 'C:\\Program Files (x86)', LOCALAPPDATA: 'D:\\ann' },
};

describe('a browser is looked for', () => {
  it('on Linux on the PATH, by the name that the tests know best first', () => {
    expect(browserPaths('firefox', LINUX)).toEqual([
      '/usr/local/bin/firefox-esr',
      '/usr/bin/firefox-esr',
      '/usr/local/bin/firefox',
      '/usr/bin/firefox',
    ]);
    expect(findBrowser('chromium', LINUX, (path) => /chrome|chromium-browser/.test(path))).toBe(
      '/usr/local/bin/chromium-browser',
    );
  });

  it('on macOS among the applications, everybody’s and a person’s own, then on the PATH', () => {
    expect(browserPaths('chromium', MAC).slice(0, 4)).toEqual([
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Volumes/ann/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Volumes/ann/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ]);
    expect(browserPaths('firefox', MAC)).toContain('/Applications/Firefox.app/Contents/MacOS/firefox');
    expect(browserPaths('firefox', MAC)).toContain('/opt/homebrew/bin/firefox');
  });

  it('on Windows where programs are installed, for everybody or for one person', () => {
    const installed = win32.join('D:\\ann', 'Google\\Chrome\\Application\\chrome.exe');
    expect(browserPaths('chromium', WINDOWS)).toContain(installed);
    expect(browserPaths('firefox', WINDOWS)).toEqual([
      'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
      'C:\\Program Files (x86)\\Mozilla Firefox\\firefox.exe',
      'D:\\ann\\Mozilla Firefox\\firefox.exe',
    ]);
  });

  it.each([LINUX, MAC, WINDOWS])('nowhere but where a variable says, on $platform', (machine) => {
    const env = { ...machine.env, CHROMIUM: '/opt/chrome', FIREFOX: '' };
    expect(browserPaths('chromium', { ...machine, env })).toEqual(['/opt/chrome']);
    expect(browserPaths('firefox', { ...machine, env })).toEqual(browserPaths('firefox', machine));
    expect(() => findBrowser('chromium', { ...machine, env }, () => false)).toThrow('CHROMIUM names /opt/chrome');
    expect(() => findBrowser('firefox', { ...machine, env }, () => false)).toThrow('say where it is with FIREFOX=PATH');
  });
});
