/** Told once of a link's end. */
type OnClose = (listener: (why: string) => void) => unknown;

/** How two tabs reach each other, as their browser tells it. */
export interface LinkState {
  /** `relayed`: everything goes through a TURN server. */
  readonly way: 'direct' | 'relayed';
  readonly roundTripMs: number | null;
  /** Over the last seconds, both directions, in bits per second. */
  readonly sentBitsPerSecond: number;
  readonly receivedBitsPerSecond: number;
  /** Both directions, since the link was opened. */
  readonly movedBytes: number;
}

/** Of one moment, since the link was opened. */
export interface LinkCounts extends Pick<LinkState, 'way' | 'roundTripMs'> {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

const LOOK_EVERY_MS = 5000;

/** What `RTCPeerConnection.getStats` says of the pair of addresses in use; null before there is one. */
export function linkCounts(reports: Iterable<unknown>): LinkCounts | null {
  const all = [...reports].filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
  const byId = new Map(all.map((one) => [one.id, one]));
  const pairs = all.filter(({ type }) => type === 'candidate-pair');
  // Firefox says of each pair whether it is the one, the others say it of the transport.
  const chosen = all.find(
    ({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId != null,
  );
  const pair =
    byId.get(chosen?.selectedCandidatePairId) ??
    pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded');
  if (pair === undefined) return null;
  const isRelayed = [pair.localCandidateId, pair.remoteCandidateId].some(
    (id) => byId.get(id)?.candidateType === 'relay',
  );
  const seconds = count(pair.currentRoundTripTime);
  return {
    way: isRelayed ? 'relayed' : 'direct',
    roundTripMs: seconds === null ? null : 1000 * seconds,
    sentBytes: count(pair.bytesSent) ?? 0,
    receivedBytes: count(pair.bytesReceived) ?? 0,
  };
}

const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

/** The state at `after`, `seconds` later than `before`; without `before`, and where a count began anew, no rates. */
export function linkState(before: LinkCounts | null, after: LinkCounts, seconds: number): LinkState {
  const rate = (was: number | undefined, is: number): number =>
    was === undefined || is < was || seconds <= 0 ? 0 : (8 * (is - was)) / seconds;
  const { way, roundTripMs } = after;
  return {
    way,
    roundTripMs,
    sentBitsPerSecond: rate(before?.sentBytes, after.sentBytes),
    receivedBitsPerSecond: rate(before?.receivedBytes, after.receivedBytes),
    movedBytes: after.sentBytes + after.receivedBytes,
  };
}

/** Tells of a link's state at once and every few seconds, until the link closes. What the browser does not tell is not told. */
export function watchLink(
  counts: () => Promise<LinkCounts | null>,
  onClose: OnClose,
  tell: (state: LinkState) => void,
): void {
  let before: { readonly counts: LinkCounts; readonly atMs: number } | null = null;
  let closed = false;
  const look = async (): Promise<void> => {
    const found = await counts().catch(() => null);
    if (closed || found === null) return;
    const atMs = performance.now();
    tell(linkState(before?.counts ?? null, found, before === null ? 0 : (atMs - before.atMs) / 1000));
    before = { counts: found, atMs };
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  onClose(() => {
    closed = true;
    clearInterval(timer);
  });
  void look();
}
