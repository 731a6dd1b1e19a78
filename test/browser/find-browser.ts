import { accessSync, constants } from 'node:fs';
import { posix, win32 } from 'node:path';

export type BrowserKind = 'chromium' | 'firefox';
export const BROWSER_KINDS: readonly BrowserKind[] = ['chromium', 'firefox'];

/** What decides where a browser is looked for. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The variable that names a browser's program, whatever else is installed. */
const VARIABLES: Readonly<Record<BrowserKind, string>> = { chromium: 'CHROMIUM', firefox: 'FIREFOX' };

/** Programs on the PATH, the wanted one first. */
const NAMES: Readonly<Record<BrowserKind, readonly string[]>> = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  firefox: ['firefox-esr', 'firefox'],
};

/** In /Applications, or a person's own. */
const MAC_PROGRAMS: Readonly<Record<BrowserKind, readonly string[]>> = {
  chromium: ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'],
  firefox: ['Firefox.app/Contents/MacOS/firefox'],
};

/** In the folders that Windows names by these variables: for everybody, for everybody in 32 bits, for one person. */
const WINDOWS_FOLDERS = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'];
const WINDOWS_PROGRAMS: Readonly<Record<BrowserKind, readonly string[]>> = {
  chromium: ['Chromium\\Application\\chrome.exe', 'Google\\Chrome\\Application\\chrome.exe'],
  firefox: ['Mozilla Firefox\\firefox.exe'],
};

/** Paths where a browser may be, the first that exists is taken. A path that the variable gives is the only one. */
export function browserPaths(kind: BrowserKind, { platform, env }: Machine): readonly string[] {
  const named = env[VARIABLES[kind]];
  if (named !== undefined && named !== '') return [named];
  if (platform === 'win32') {
    const folders = WINDOWS_FOLDERS.flatMap((name) => env[name] ?? []);
    return WINDOWS_PROGRAMS[kind].flatMap((program) => folders.map((folder) => win32.join(folder, program)));
  }
  const onPath = (env.PATH ?? '').split(':').filter((folder) => folder !== '');
  const paths = NAMES[kind].flatMap((name) => onPath.map((folder) => posix.join(folder, name)));
  if (platform !== 'darwin') return paths;
  const folders = ['/Applications', ...(env.HOME === undefined ? [] : [posix.join(env.HOME, 'Applications')])];
  return [...MAC_PROGRAMS[kind].flatMap((program) => folders.map((folder) => posix.join(folder, program))), ...paths];
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error with what to install or to set. */
export function findBrowser(kind: BrowserKind, machine: Machine = process, isThere = runs): string {
  const path = browserPaths(kind, machine).find(isThere);
  if (path !== undefined) return path;
  const name = kind === 'chromium' ? 'Chromium or Google Chrome' : 'Firefox';
  throw new Error(
    machine.env[VARIABLES[kind]]
      ? `${VARIABLES[kind]} names ${machine.env[VARIABLES[kind]]}, which is no program that can be started.`
      : `No ${name} was found. Install it (on Debian: bash .ci/system), or say where it is with ${VARIABLES[kind]}=PATH.`,
  );
}
