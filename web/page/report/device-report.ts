import { PROTOCOL_VERSION } from '../../../signaling/protocol/version.ts';
import { byteRateText, bytesText, flopsText, rateText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { DeviceFacts } from '../../tab/device-facts.ts';

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
    ['Tabloom, a device’s report', `messages of version ${PROTOCOL_VERSION}, as ${view.role}`],
    browserLines(facts),
    profileLines(view),
    roundLines(view),
    linkLines(view),
    [
      'Log',
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
    'Browser',
    `  ${facts.browser}`,
    `  ${facts.cores} cores, screen ${facts.screen}, ${facts.touchPoints} touch points`,
    `  secure context: ${yes(facts.secure)}; isolated: ${yes(facts.isolated)}; training may take ${bytesText(facts.claimBytes)}`,
    ...(ended === null
      ? []
      : [
          `  ended last${ended.hidden ? ' in the background' : ''} in: ${ended.what}, ${ended.samples} samples, ${bytesText(ended.bytes)}`,
        ]),
    ...(gpu === null
      ? ['  graphics processor: none that WebGPU gives']
      : [
          `  graphics processor: ${gpu.name || 'not named'}${gpu.software ? ', in software' : ''}`,
          `  features: ${gpu.features.join(' ') || 'none'}`,
          ...Object.entries(gpu.limits).map(([name, limit]) => `  ${name}: ${limit}`),
        ]),
  ];
}

function profileLines(view: SessionView): readonly string[] {
  const { room, self, status } = view;
  const profile = room?.devices.find(({ id }) => id === self)?.profile ?? null;
  const failed = status.kind === 'failed' ? [`  failed: ${withoutNames(status.sentence, view)}`] : [];
  if (profile === null) return ['Measured', ...(failed.length > 0 ? failed : ['  nothing yet'])];
  const { memory, engine, backend, flopsPerSecond, memoryBytesPerSecond, linkBitsPerSecond } = profile;
  return [
    'Measured',
    `  ${engine} on ${backend}`,
    `  ${flopsText(flopsPerSecond)}, ${byteRateText(memoryBytesPerSecond)}, ${rateText(linkBitsPerSecond)} to the host`,
    `  memory: may take ${bytesText(memory.limitBytes)}, weights ${bytesText(memory.weightsBytes)}`,
    ...(room === null
      ? []
      : [
          `  model ${room.settings.shape.layers} layers of ${room.settings.shape.hiddenSize}, weights ${room.settings.weights}`,
        ]),
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
      planned === undefined
        ? ''
        : `, predicted ${seconds(planned.computeSeconds)} and ${seconds(planned.uploadSeconds)}`;
    return [
      `  round ${report.round}: computed ${seconds(sum('computeSeconds'))}, sent ${seconds(sum('uploadSeconds'))}${against}; ${sum('samples')} samples, down to depth ${Math.max(...entries.map(({ deepestDepth }) => deepestDepth))}`,
    ];
  });
  return ['Its rounds', ...own];
}

function linkLines({ links, room }: SessionView): readonly string[] {
  const all = Object.values(links).map(
    ({ way, roundTripMs }) => `  ${way}${roundTripMs === null ? '' : `, ${Math.round(roundTripMs)} ms there and back`}`,
  );
  return [`Links, of ${room?.devices.length ?? 0} devices`, ...all];
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
    : out.replace(anyWord(secret), (text) => (names.includes(text) ? '[a device]' : '[code]'));
}

/** Where one of them stands by itself: a device may be called "a". */
const anyWord = (texts: readonly string[]): RegExp => {
  const escaped = texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join('|')})(?![\\p{L}\\p{N}])`, 'gu');
};
