/** Where a peer is reached over UDP. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Component, transport, priority and so on stay; the place is another's. Of other kinds than host candidates of IPv4 over UDP, null. */
const HOST = /^((?:a=)?candidate:\S+ \d+ udp \d+) (\S+) (\d+) (typ host\b.*)$/i;

/**
 * What a peer says to another over PeerJS's introductions, with each place where it may be reached replaced by what `standIn` says. Null
 * where nothing is left of it: a candidate of a kind that cannot be replaced. A name instead of an address (mDNS) is this machine's `own`.
 */
export async function withStandIns(
  text: string,
  own: string,
  standIn: (real: Place) => Promise<Place>,
): Promise<string | null> {
  const replaced = async (line: string): Promise<string | null> => {
    const found = HOST.exec(line);
    if (found === null) return null;
    const [, head, name, port, rest] = found;
    if (name.includes(':')) return null;
    const { address, port: other } = await standIn({
      address: name.endsWith('.local') ? own : name,
      port: Number(port),
    });
    return `${head} ${address} ${other} ${rest}`;
  };

  const message: unknown = JSON.parse(text);
  const payload = field(message, 'payload');
  const candidate = field(field(payload, 'candidate'), 'candidate');
  // An empty one says that there are no more.
  if (typeof candidate === 'string' && candidate !== '') {
    const line = await replaced(candidate);
    return line === null ? null : JSON.stringify(changed(message, ['payload', 'candidate', 'candidate'], line));
  }
  const sdp = field(field(payload, 'sdp'), 'sdp');
  if (typeof sdp !== 'string') return text;
  const lines = await Promise.all(
    sdp.split('\r\n').map((line) => (line.startsWith('a=candidate:') ? replaced(line) : line)),
  );
  return JSON.stringify(
    changed(message, ['payload', 'sdp', 'sdp'], lines.filter((line) => line !== null).join('\r\n')),
  );
}

export const field = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;

function changed(of: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  return name === undefined ? value : { ...Object(of), [name]: changed(field(of, name), rest, value) };
}
