import { describe, expect, it } from 'vitest';
import { INTRODUCTION_SILENCE_MS, TURN_SECONDS } from '../../signaling/connection/bounds/limits.ts';
import { withCredentials } from '../../signaling/connection/door/secrets.ts';
import type { Introduction, ServerMessage } from '../../signaling/protocol/messages.ts';
import { Play } from './play.ts';

const introductionOf = (said: readonly ServerMessage[]): Introduction => {
  const welcome = said.find((m) => m.type === 'welcome');
  if (welcome === undefined) throw new Error('not welcome');
  return welcome.introduction;
};
const offer = (dst: string, more: object = {}) => ({
  type: 'OFFER',
  dst,
  payload: {
    sdp: { type: 'offer', sdp: 'v=0' },
    type: 'data',
    connectionId: 'dc_abc',
    label: 'dc_abc',
    reliable: true,
    serialization: 'binary',
    ...more,
  },
});

/** Two rooms: a host and a tab in the first, a stranger in the second; each with a line of its own. */
function twoRooms() {
  const play = new Play();
  const seat = (room: string, id: string) => {
    const connection = play.join(room, id);
    const introduction = introductionOf(play.said(connection));
    return { connection, introduction, line: play.line(introduction) };
  };
  const first = play.host('hosthost1').room;
  const second = play.host('hosthost2').room;
  const [ann, bob, eve] = [seat(first, 'annannann'), seat(first, 'bobbobbob'), seat(second, 'eveeveeve')];
  const say = (line: number, message: unknown): readonly unknown[] => {
    play.introduced.length = 0;
    play.text(line, JSON.stringify(message));
    return [...play.introduced];
  };
  return { play, first, ann, bob, eve, say };
}

describe('introductions', () => {
  it('go from one device of a room to another, with the sender as it is', () => {
    const { play, ann, bob, say } = twoRooms();
    expect(play.introduced).toContainEqual([ann.line, { type: 'OPEN' }]);
    const told = say(ann.line, { ...offer(bob.introduction.id), src: 'somebody-else', more: 1 });
    expect(told).toEqual([[bob.line, { ...offer(bob.introduction.id), src: ann.introduction.id }]]);
    const candidate = { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 };
    const payload = { candidate, type: 'data', connectionId: 'dc_abc' };
    expect(say(bob.line, { type: 'CANDIDATE', dst: ann.introduction.id, payload })).toEqual([
      [ann.line, { type: 'CANDIDATE', dst: ann.introduction.id, payload, src: bob.introduction.id }],
    ]);
    const answer = { sdp: { type: 'answer', sdp: 'v=0' }, type: 'data', connectionId: 'dc_abc' };
    expect(say(bob.line, { type: 'ANSWER', dst: ann.introduction.id, payload: answer })).toHaveLength(1);
  });

  it('never leave the room, and wait for nobody', () => {
    const { play, ann, bob, eve, say } = twoRooms();
    for (const dst of [bob.introduction.id, 'nobody', eve.introduction.id])
      expect(say(eve.line, offer(dst)).map((told) => (Array.isArray(told) ? told[0] : told))).toEqual([eve.line]);
    expect(say(eve.line, offer(bob.introduction.id))).toEqual([
      [eve.line, { type: 'EXPIRE', src: bob.introduction.id, dst: eve.introduction.id }],
    ]);
    play.drop(bob.line);
    expect(say(ann.line, offer(bob.introduction.id))).toEqual([
      [ann.line, { type: 'EXPIRE', src: bob.introduction.id, dst: ann.introduction.id }],
    ]);
    play.introduced.length = 0;
    play.line(bob.introduction);
    expect(play.introduced.map(([, message]) => message)).toEqual([{ type: 'OPEN' }]);
  });

  it.each([
    ['a video call', { type: 'media' }],
    ['a serialization that PeerJS does not know', { serialization: 'constructor' }],
    ['an answer as an offer', { sdp: { type: 'answer', sdp: '' } }],
    ['a description that is far too long', { sdp: { type: 'offer', sdp: 'x'.repeat(20_000) } }],
    ['no connection id', { connectionId: '' }],
  ])('do not pass on %s', (_, more) => {
    const { ann, bob, say } = twoRooms();
    expect(say(ann.line, offer(bob.introduction.id, more))).toEqual([]);
  });

  it.each(['', '{', '[]', 'null', '{"type":"OPEN"}', '{"type":"ID-TAKEN","dst":"x"}', '{"type":"OFFER"}'])(
    'do not pass on %j, and stay open',
    (text) => {
      const { play, ann } = twoRooms();
      play.introduced.length = 0;
      play.text(ann.line, text);
      expect([play.introduced, play.closed]).toEqual([[], []]);
    },
  );

  it('are for whoever the room gave an id to, with its token, also after a drop', () => {
    const { play, ann, eve } = twoRooms();
    const tries = (introduction: { id: string; token: string }): unknown => {
      const line = play.line(introduction);
      const last = play.introduced.at(-1);
      expect(last?.[0]).toBe(line);
      return last?.[1];
    };
    expect(tries({ id: ann.introduction.id, token: eve.introduction.token })).toMatchObject({ type: 'ID-TAKEN' });
    expect(tries({ id: 'made-up', token: 'x' })).toMatchObject({ type: 'ERROR' });
    play.drop(ann.line);
    expect(tries({ id: ann.introduction.id, token: '' })).toMatchObject({ type: 'ID-TAKEN' });
    expect(tries({ id: ann.introduction.id, token: `${ann.introduction.token}0` })).toMatchObject({ type: 'ID-TAKEN' });
    const back = play.line(ann.introduction);
    expect(play.introduced.at(-1)).toEqual([back, { type: 'OPEN' }]);
    expect(play.closed).toHaveLength(4);
  });

  it('show the room where a device can be reached, and nobody shows another’s place as its own', () => {
    const { play, first, ann, bob } = twoRooms();
    const peerIds = () =>
      Object.fromEntries(play.core.rooms.get(first)?.state.devices.map((d) => [d.id, d.peerId]) ?? []);
    expect(peerIds()).toEqual({
      hosthost1: null,
      annannann: ann.introduction.id,
      bobbobbob: bob.introduction.id,
    });
    play.said(ann.connection);
    play.text(ann.connection, JSON.stringify({ type: 'address', peerId: bob.introduction.id }));
    expect(play.said(ann.connection)).toEqual([expect.objectContaining({ type: 'error' })]);
    expect(peerIds().annannann).toBe(ann.introduction.id);
  });

  it('end with the device’s time in the room, and with silence', () => {
    const { play, ann, bob, say } = twoRooms();
    play.send(ann.connection, { type: 'leave' });
    expect(play.closed).toContain(ann.line);
    expect(say(bob.line, offer(ann.introduction.id))).toHaveLength(1);
    play.line(ann.introduction);
    expect(play.introduced.at(-1)?.[1]).toMatchObject({ type: 'ERROR' });
    play.pass(INTRODUCTION_SILENCE_MS + 1000);
    expect(play.closed).toContain(bob.line);
  });

  it('do not flood anybody: of what is too much in a moment, nothing arrives', () => {
    const play = new Play({ introductionBytesOfDevice: { perSecond: 1000, burst: 40_000 } });
    const { room } = play.host();
    const [a, b] = ['annannann', 'bobbobbob'].map((id) => introductionOf(play.said(play.join(room, id))));
    const [lineA, lineB] = [play.line(a), play.line(b)];
    play.introduced.length = 0;
    for (let i = 0; i < 20; i++)
      play.text(lineA, JSON.stringify(offer(b.id, { sdp: { type: 'offer', sdp: 'x'.repeat(9000) } })));
    expect(play.introduced.filter(([to]) => to === lineB)).toHaveLength(4);
    expect(play.introduced.filter(([to]) => to === lineA)).toHaveLength(16);
  });

  it('are the same for a device that comes back to a server that started again', () => {
    const ids = [1, 2].map(() => {
      const play = new Play();
      const { room } = play.host();
      return introductionOf(play.said(play.join(room, 'annannann')));
    });
    expect(ids[0]).toEqual(ids[1]);
  });
});

describe('credentials for a TURN server', () => {
  const servers = [{ urls: 'stun:192.0.2.1:3478' }, { urls: 'turn:192.0.2.1:3478' }];

  it('are those of the REST form, worked out by OpenSSL', () => {
    // printf '1700003600:annannann' | openssl dgst -sha1 -hmac secret -binary | base64
    expect(withCredentials(servers, 'secret', 'annannann', 1_700_000_000_000)).toEqual([
      { urls: 'stun:192.0.2.1:3478' },
      { urls: 'turn:192.0.2.1:3478', username: '1700003600:annannann', credential: 'kSMF4oxaPY0FAoLRyBpC2z4dwyM=' },
    ]);
  });

  it('are given after joining, and anew before they end', () => {
    const play = new Play({}, { turn: 'secret', iceServers: servers });
    const { connection, room } = play.host();
    const stranger = play.open('b');
    const said = play.join(room, 'annannann');
    expect(introductionOf(play.said(said)).iceServers[1]).toMatchObject({
      username: expect.stringMatching(/^\d+:annannann$/),
    });
    expect(JSON.stringify(play.said(stranger))).not.toContain('credential');
    let renewed = '';
    for (let seconds = 0; seconds < TURN_SECONDS / 2 + 5; seconds += 5) {
      play.pass(5000);
      play.send(connection, { type: 'pong' });
      play.send(said, { type: 'pong' });
      for (const message of play.said(said)) if (message.type === 'ice') renewed = message.iceServers[1].username ?? '';
    }
    const endsAt = Number(renewed.split(':')[0]);
    expect(endsAt - play.nowMs / 1000).toBeGreaterThan(TURN_SECONDS - 60);
  });
});
