import * as say from '../../words/join/door.ts';
/** What others can read of a session, in plain words: said before somebody starts or joins, and true under every policy. */

/** To whoever starts one. */
export function readingAsHost(ownTable: boolean): readonly string[] {
  return [
    say.everyDeviceThatTrainsReads(ownTable ? say.ofYourTable : ''),
    say.everyoneInTheSessionSees,
    say.theServerSeesThoseNames,
    ...(ownTable ? [say.becauseTheTableIsYours] : []),
  ];
}

/** To whoever joins one; `ownTable` is the host's. */
export function readingAsDevice(ownTable: boolean): readonly string[] {
  return [
    say.yourDeviceGetsRows(ownTable ? say.theyAreTheHostsOwn : ''),
    say.everyoneInTheSessionSeesYourDevices,
    say.theHostGetsTheGradients,
    say.theServerSeesNamesMeasurements,
  ];
}
