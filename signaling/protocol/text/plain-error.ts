/**
 * What browsers and runtimes say when something of theirs goes wrong, and what a person can do about it. Sentences of our own pass as they
 * are. Order matters: the first that fits.
 */
const RAW: readonly (readonly [RegExp, string])[] = [
  [
    /dynamically imported module|importing a module script failed|error loading dynamically/i,
    'A part of this page could not be loaded. Reload the page.',
  ],
  [
    /^(failed to fetch|networkerror when attempting|load failed|fetch failed|network error|the network connection was lost|the internet connection appears)/i,
    'The network did not answer. Check the connection, then try again.',
  ],
  [
    /^(array buffer allocation failed|out of memory|invalid array (buffer )?length|allocation size overflow|webassembly.{1,20}could not allocate|maximum call stack|too much recursion)/i,
    'This device has too little memory for that. Close other tabs, or choose something smaller.',
  ],
  [/quota/i, 'This browser has no room left for that. Delete what is kept here, or free some space on the device.'],
  [
    /^(unexpected (token|end|non-whitespace|number|string)|json\.parse|json parse error|expected .{1,40} in json|unterminated string|bad control character)/i,
    'What was read is damaged, or is something else. Fetch it again, or choose another file.',
  ],
  [
    /could not be read, typically due to permission|requested file (or directory )?could not be|object can not be found here|file .{0,40}changed/i,
    'The file was moved or changed since it was chosen. Choose it again.',
  ],
  [/signal timed out|operation timed out|timeouterror/i, 'That took too long. Try again.'],
  [/not allowed by the user agent|operation is insecure|access is denied/i, 'This browser does not allow that here.'],
  [
    /cannot read propert|is not a function|is not defined|is (undefined|null)$|undefined is not|null is not|not an object/i,
    'Something went wrong in this page, not in what you did. Reload it; what was trained is kept.',
  ],
];

/** An error as a sentence with a way out; `otherwise` where it says nothing at all. */
export function errorSentence(error: unknown, otherwise: string): string {
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
  const named = error instanceof Error ? `${message || error.name}` : message;
  if (named === '' || named === 'Error') return otherwise;
  return RAW.find(([pattern]) => pattern.test(named))?.[1] ?? named;
}
