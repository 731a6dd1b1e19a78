import { PROTOCOL_VERSION } from '../../../signaling/protocol/version.ts';
import { byteRateText, bytesText, flopsText, rateText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { DeviceFacts } from '../../tab/device-facts.ts';
import * as say from '../../words/take/report.ts';

/** Rounds whose times are told, the last ones. */
const ROUNDS = 10;
/** Sentences of the log, the last ones. */
const SENTENCES = 12;

const seconds = (value: number): string => `${value.toPrecision(3)} s`;
const yes = (value: boolean): string => (value ? 'yes' : 'no');

/**
 * A text about this device that its person may paste for others to read: what it is, what it measured of itself, and how its rounds went. It
 * holds no names, codes or addresses: what sentences of the log say of them is taken out.
 */
export function deviceReport(view: SessionView, facts: DeviceFacts): string {
  return [
    [say.tabloomADevicesReport, say.messagesOfVersion(PROTOCOL_VERSION, view.role)],
    browserLines(facts),
    profileLines(view),
    roundLines(view),
    linkLines(view),
    [
      say.log,
      ...view.notices
        .slice(-SENTENCES)
        .map(({ elapsedSeconds, sentence }) => `  ${Math.round(elapsedSeconds)} s: ${withoutNames(sentence, view)}`),
    ],
  ]
    .filter((lines) => lines.length > 1)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function browserLines({ gpu, ...facts }: DeviceFacts): readonly string[] {
  const { ended } = facts;
  return [
    say.browser,
    `  ${facts.browser}`,
    say.coresScreenTouchPoints(facts.cores, facts.screen, facts.touchPoints),
    say.secureContextIsolatedTrainingMay(yes(facts.secure), yes(facts.isolated), bytesText(facts.claimBytes)),
    ...(ended === null
      ? []
      : [
          say.endedLastInSamples(
            ended.hidden ? say.inTheBackground : '',
            ended.what,
            ended.samples,
            bytesText(ended.bytes),
          ),
        ]),
    ...(gpu === null
      ? [say.graphicsProcessorNoneThatWebGPU]
      : [
          say.graphicsProcessor(gpu.name || say.notNamed, gpu.software ? say.inSoftware : ''),
          say.features(gpu.features.join(' ') || 'none'),
          ...Object.entries(gpu.limits).map(([name, limit]) => `  ${name}: ${limit}`),
        ]),
  ];
}

function profileLines(view: SessionView): readonly string[] {
  const { room, self, status } = view;
  const profile = room?.devices.find(({ id }) => id === self)?.profile ?? null;
  const failed = status.kind === 'failed' ? [say.failed(withoutNames(status.sentence, view))] : [];
  if (profile === null) return [say.measured, ...(failed.length > 0 ? failed : [say.nothingYet])];
  const { memory, engine, backend, flopsPerSecond, memoryBytesPerSecond, linkBitsPerSecond } = profile;
  return [
    say.measured,
    say.on(engine, backend),
    say.toTheHost(flopsText(flopsPerSecond), byteRateText(memoryBytesPerSecond), rateText(linkBitsPerSecond)),
    say.memoryMayTakeWeights(bytesText(memory.limitBytes), bytesText(memory.weightsBytes)),
    ...(room === null
      ? []
      : [say.modelLayersOfWeights(room.settings.shape.layers, room.settings.shape.hiddenSize, room.settings.weights)]),
    ...failed,
  ];
}

function roundLines({ room, self, rounds }: SessionView): readonly string[] {
  const predicted = room?.plan?.assignments.find(({ device }) => device === self);
  const own = rounds.slice(-ROUNDS).flatMap((report) => {
    const entries = report.devices.filter(({ device }) => device === self);
    if (entries.length === 0) return [];
    const sum = (what: 'computeSeconds' | 'uploadSeconds' | 'samples'): number =>
      entries.reduce((total, entry) => total + entry[what], 0);
    const planned = report.planVersion === room?.plan?.version ? predicted : undefined;
    const against =
      planned === undefined ? '' : say.predictedAnd(seconds(planned.computeSeconds), seconds(planned.uploadSeconds));
    return [
      say.roundComputedSentSamplesDown(
        report.round,
        seconds(sum('computeSeconds')),
        seconds(sum('uploadSeconds')),
        against,
        sum('samples'),
        Math.max(...entries.map(({ deepestDepth }) => deepestDepth)),
      ),
    ];
  });
  return [say.itsRounds, ...own];
}

function linkLines({ links, room }: SessionView): readonly string[] {
  const all = Object.values(links).map(
    ({ way, roundTripMs }) => `  ${way}${roundTripMs === null ? '' : say.msThereAndBack(Math.round(roundTripMs))}`,
  );
  return [say.linksOfDevices(room?.devices.length ?? 0), ...all];
}

/** Addresses of networks and of pages, in whatever sentence they stand. */
const ADDRESSES = [
  /\b(?:https?|wss?|turns?|stuns?):\S+/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g,
  /\b(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}\b/gi,
];

function withoutNames(sentence: string, { room, invitation }: SessionView): string {
  const names = (room?.devices ?? []).map(({ name }) => name);
  // The longest first: one name may be a part of another.
  const secret = [...names, room?.id ?? '', invitation?.secret ?? '']
    .filter((text) => text !== '')
    .sort((a, b) => b.length - a.length);
  let out = sentence;
  for (const pattern of ADDRESSES) out = out.replace(pattern, '[address]');
  // In one go: what stands in place of a name is not looked at again.
  return secret.length === 0
    ? out
    : out.replace(anyWord(secret), (text) => (names.includes(text) ? say.aDevice : '[code]'));
}

/** Where one of them stands by itself: a device may be called "a". */
const anyWord = (texts: readonly string[]): RegExp => {
  const escaped = texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join('|')})(?![\\p{L}\\p{N}])`, 'gu');
};
