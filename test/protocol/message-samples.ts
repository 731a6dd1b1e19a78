import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, profile, SETTINGS } from './samples.ts';

export const device = { id: 'abcdefgh', key: 'k'.repeat(32), name: 'laptop', kind: 'tab' as const };
export const ROUND = {
  round: 1,
  planVersion: 1,
  loss: 0.7,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 0.5,
  devices: [
    { device: 'abcdefgh', samples: 16, deepestDepth: 2, computeSeconds: 0.2, uploadSeconds: 0, uploadBits: 1e6 },
  ],
  reassigned: 0,
};
export const SCORE = {
  round: 1,
  metric: 'accuracy' as const,
  value: 0.75,
  loss: 0.5,
  examples: 20,
  elapsedSeconds: 1,
  further: [{ metric: 'f1' as const, devSet: 'mismatched', value: 0.5 }],
};
export const ACTIVITY = { round: 1, devices: [{ device: 'abcdefgh', received: 1, expected: 2 }] };
/** One of every type at least. */
export const CLIENT_MESSAGES: ClientMessage[] = [
  { type: 'create', version: PROTOCOL_VERSION, device, settings: SETTINGS, ...OPEN_DOOR },
  { type: 'join', version: PROTOCOL_VERSION, device, room: 'abc234', watch: false },
  { type: 'look', version: PROTOCOL_VERSION, room: 'abc234', pass: '0'.repeat(64) },
  { type: 'door', door: 'ask', cap: 12 },
  { type: 'admit', device: 'abcdefgh' },
  { type: 'refuse', device: 'abcdefgh' },
  { type: 'remove', device: 'abcdefgh' },
  { type: 'seen', edition: 7 },
  { type: 'holding', term: 2, round: 40, able: true, linked: false },
  { type: 'decline', term: 3 },
  { type: 'resync' },
  { type: 'status', status: { kind: 'loading', done: 1, total: 2 } },
  { type: 'profile', profile: profile() },
  { type: 'status', status: { kind: 'measured' } },
  { type: 'holds', run: { from: 0, to: 3 } },
  { type: 'linked', device: 'abcdefgh', linked: true },
  {
    type: 'probation',
    device: 'abcdefgh',
    probation: { why: 'late', since: 3, next: 4 },
    measured: { samples: 2, deepestDepth: 6, computeSeconds: 0.5 },
  },
  { type: 'hidden', hidden: true },
  { type: 'leave' },
  { type: 'ping' },
  { type: 'pong' },
  { type: 'phase', phase: 'training' },
  { type: 'policy', policy: 'lola' },
  { type: 'round', report: ROUND },
  { type: 'score', report: SCORE },
  { type: 'activity', activity: ACTIVITY },
  { type: 'history', rounds: [ROUND], scores: [SCORE] },
];
export const SERVER_MESSAGES: ServerMessage[] = [
  { type: 'hostless' },
  { type: 'offer', term: 3 },
  {
    type: 'outside',
    look: {
      door: 'link',
      pass: 'none',
      title: 'Sentiment',
      ownTable: false,
      model: 'roberta-mini',
      hostName: 'Ada',
      hostAway: false,
      devices: 3,
      cap: 64,
      downloadBytes: 9_000_000,
    },
  },
  { type: 'waiting', sentence: 'The host has to let you in.' },
  { type: 'hello', version: PROTOCOL_VERSION },
  {
    type: 'welcome',
    room: 'abc234',
    settings: SETTINGS,
    introduction: {
      id: 'xyz123',
      token: '0123456789abcdef0123456789abcdef',
      iceServers: [{ urls: 'turn:turn.example.org:3478', username: '1:a', credential: 'b' }],
    },
    claim: 'c'.repeat(64),
  },
  { type: 'ice', iceServers: [{ urls: 'stun:stun.example.org:3478' }] },
  {
    type: 'news',
    edition: 9,
    since: 7,
    change: {
      phase: 'training',
      host: 'abcdefgh',
      policy: 'lola',
      plan: null,
      planNote: 'Nobody can hold the model.',
      gone: ['ijklmnop'],
      devices: [
        {
          id: 'abcdefgh',
          name: 'laptop',
          kind: 'tab',
          status: { kind: 'failed', sentence: 'No engine works here.' },
          hidden: false,
          linked: true,
          online: true,
          peerId: 'xyz123',
          profile: profile(),
        },
      ],
    },
    activity: ACTIVITY,
  },
  { type: 'history', rounds: [ROUND], scores: [SCORE] },
  { type: 'round', report: ROUND },
  { type: 'score', report: SCORE },
  { type: 'pong' },
  { type: 'ping' },
  { type: 'error', sentence: 'There is no such session.', refused: true },
  { type: 'closed', sentence: 'The host ended the session.' },
];
