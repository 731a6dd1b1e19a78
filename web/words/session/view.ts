import type { Said } from '../said.ts';

// again-news.ts
export const thisDevice = 'This device';
export const wasMeasuredAgainThePlan = (who: Said, what: Said): string =>
  `${who} was measured again: ${what}; the plan uses it now.`;
export const timesAsFast = (speed: Said): string => `${speed} times as fast as at first`;
export const itsLinkIsTimes = (link: Said): string => `its link is ${link} times as fast as at first`;

// class-probabilities.ts
export const theModelAnswersWithValues =
  'The model answers with values that are not finite; try it after another round.';
export const classWord = (i: Said): string => `class ${i}`;

// data-words.ts
export const noRowsBelowTheNames = 'no rows below the names of its columns.';
export const row = 'row';
export const rows = 'rows';
export const n1RowUsed = '1 row, used.';
export const allOfThemUsed = (all: Said): string => `${all}, all of them used.`;
export const usedLeftOut = (all: Said, used: Said, rows: Said): string => `${all}: ${used} used, ${rows} left out.`;
export const andMore = (more: Said): string => ` and ${more} more`;
export const verticalBars = 'vertical bars';
export const cellsMayStandInQuotes = 'cells may stand in quotes, two of which mean one';
export const quotesAreEscaped = 'quotes are escaped by a backslash';
export const aQuoteIsACharacter = 'a quote is a character';
export const jsonLines = 'JSON lines';
export const parquet = 'Parquet';
export const separatedBy = (delimiter: Said, quoting: Said): string => `separated by ${delimiter}, ${quoting}`;
export const utf16LowByteFirst = 'UTF-16, low byte first';
export const utf16HighByteFirst = 'UTF-16, high byte first';
export const byte = 'byte';
export const bytes = 'bytes';
export const windows1252BeyondAscii = (wideCharacters: Said): string =>
  `Windows-1252: ${wideCharacters} beyond ASCII, of which none makes a character of UTF-8`;
export const character = 'character';
export const characters = 'characters';
export const utf8OfSeveralBytes = (wideCharacters: Said): string => `UTF-8: ${wideCharacters} of several bytes`;
export const andFurtherOnes = ' and further ones';
export const n1ByteBelongsToNo = (where: Said): string =>
  `1 byte belongs to no character and shows as � in its cell${where}.`;
export const bytesBelongToNoCharacter = (unreadableBytes: Said, where: Said, more: Said): string =>
  `${unreadableBytes} bytes belong to no character and show as � in their cells${where}${more}.`;
export const aColumnWithoutAName = (names: Said): string => `A column without a name of its own is called ${names}.`;
export const columnsWithoutAName = (names: Said): string => `Columns without a name of their own are called ${names}.`;
export const text = 'text';
export const texts = 'texts';
export const theFirst = (counted: Said): string => `the first ${counted}`;
export const isLongerThan = 'is longer than';
export const areLongerThan = 'are longer than';
export const itsEnd = 'its end is';
export const theirEnds = 'their ends are';
export const ofTokensCutOff = (cut: Said, value: Said, longer: Said, maxTokens: Said, cut2: Said): string =>
  `${cut} of ${value} ${longer} ${maxTokens} tokens; ${cut2} cut off.`;
export const differentNumber = 'different number';
export const differentNumbers = 'different numbers';
export const holds = (column: Said, differentNumbers: Said): string => `${column} holds ${differentNumbers}`;
export const tooManyForClasses = (many: Said): string => `${many}, too many for classes`;
export const whichMayBeClasses = (many: Said): string => `${many}, which may be classes or a score`;

// host-words.ts
export const anotherDevice = 'Another device';
export const theHostWentAwayLeads = (name: Said): string => `The host went away; ${name} leads the session now.`;
export const theHostIsAway = (after: Said): string => `The host is away. ${after}`;
export const theHostIsBack = 'The host is back.';
export const ifItDoesNotCome =
  'If it does not come back within seconds, this device or another one goes on in its place.';
export const itsTableIsPrivate =
  'Its table is private: the session waits for it, unless it gave the table to another device, which goes on then.';
export const ifItDoesNotComeBackWithin =
  'If it does not come back within seconds, another device goes on in its place, or the session waits for it.';
export const theHostGaveThisDevice = (title: Said, bytes: Said): string =>
  `The host gave this device its whole table, “${title}” (${bytes}): it can go on when the host is gone.`;

// resumed-words.ts
export const thisCheckpointCameWithout =
  'This checkpoint came without its key, so training goes on in a new session: invite the devices with its new link.';
