import * as say from '../../words/session/links.ts';
/**
 * The certificates that a description of a connection (SDP) vouches for: every `a=fingerprint` line of session and media, as RFC 8122 writes
 * them, normalised and sorted. The connection accepts a certificate that fits any of them, so all of them are bound, and any hash but SHA-256
 * is refused with an Error, as is a description without a fingerprint.
 */
export function fingerprintsOf(sdp: string): string {
  const found = new Set<string>();
  for (const line of sdp.split(/\r\n|\r|\n/)) {
    if (!/^\s*a\s*=\s*fingerprint/i.test(line)) continue;
    const fields = /^a=fingerprint:\s*(\S+)\s+(\S+)\s*$/i.exec(line);
    const hash = fields?.[2].toUpperCase().replace(/:/g, '') ?? '';
    if (fields?.[1].toLowerCase() !== 'sha-256' || !/^[0-9A-F]{64}$/.test(hash))
      throw new Error(say.theConnectionToTheOther);
    found.add(hash);
  }
  if (found.size === 0) throw new Error(say.theConnectionToTheOtherDeviceNames);
  return [...found].sort().join(' ');
}
