import type { Profile } from '../../../signaling/protocol/profile.ts';
import { planOf } from '../../../signaling/room/plan-of.ts';
import type { SessionView } from '../../../web/session/view/view.ts';
import { device, room, settings, settingsOf, view } from './scenarios.ts';

/** A model of roberta-base's size on devices that take seconds for a round: an evening, a day, or a month. */

const base = settings(12, 'auto', 1000);
const long: typeof base = {
  ...base,
  model: { kind: 'hub', id: 'FacebookAI/roberta-base', endpoint: 'https://huggingface.co', revision: 'main' },
  shape: { ...base.shape, hiddenSize: 768, heads: 12, ffnSize: 3072, vocabSize: 50_265, maxPositions: 514 },
  task: { ...settingsOf('sst2').task, trainExamples: 67_349, devExamples: 872, roundTokens: 15, devTokens: 26 },
  training: { ...base.training, samplesPerRound: 16, evaluateEvery: 100 },
};
const slow = (profile: Profile): Profile => ({
  ...profile,
  overheadSeconds: 0.2,
  secondsPerSample: { embed: 1e-3, forwardPerLayer: 0.018, backwardPerLayer: 0.034, head: 2e-3 },
});
const devices = [0, 1].map((place) => {
  const one = device(place);
  return { ...one, profile: one.profile && slow(one.profile) };
});
const trainers = devices.flatMap(({ profile, ...one }) => (profile === null ? [] : [{ ...one, profile }]));
const answer = planOf({ settings: long, host: devices[0]!.id, devices: trainers, rounds: [], plan: null });
const plan = answer.feasible ? { ...answer.plan, version: 1 } : null;

export const LONG_VIEWS: Readonly<Record<string, SessionView>> = {
  'lobby-long': view({ room: room({ devices, plan, settings: long, phase: 'gathering' }) }),
};
