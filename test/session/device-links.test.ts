import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { DeviceLinks, type WorkHeader } from '../../web/session/rounds/device-links.ts';

const parametersOf = (version: number) => ({ version, values: Float32Array.of(version) });
const ORDER: WorkHeader = {
  type: 'order',
  tag: { term: 1, round: 1, epoch: 0, order: 0 },
  layers: [0],
  head: true,
  samples: { start: 0, count: 1 },
  microBatch: 1,
  share: 1,
  recompute: false,
  tokens: 1,
  dropout: { probability: 0, seed: 0 },
  version: 0,
} as const;
const EVALUATE: WorkHeader = {
  type: 'evaluate',
  tag: { term: 1, evaluation: 1, chunk: 0 },
  samples: 1,
  tokens: 1,
  version: 0,
} as const;

/** Links of devices, what each device got, and what the host heard. */
function scene(...ids: string[]) {
  const links = new DeviceLinks();
  const heard: string[] = [];
  const got: string[] = [];
  links.onEvent((event) => heard.push(`${event.type} ${event.device}`));
  const doubts: string[] = [];
  const attach = (id: string): MessageLink => {
    const [own, other] = localLinkPair();
    other.onMessage(({ header, tensors }: DataMessage) => {
      const carries = 'parameters' in header && header.parameters ? ` with ${tensors.at(-1)}` : '';
      got.push(`${id} ${header.type}${carries}`);
    });
    links.attach(id, { ...own, doubt: (doubtful) => void doubts.push(`${id} ${doubtful}`) });
    return other;
  };
  const ends = new Map(ids.map((id) => [id, attach(id)]));
  return { links, heard, got, doubts, attach, ends };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('parameters', () => {
  it('go with the first work of their version, of whichever kind, to each device once', async () => {
    const { links, got } = scene('a', 'b');
    const send = (id: string, version: number, header: WorkHeader) =>
      links.sendWork(id, parametersOf(version), header, []);
    expect(send('a', 4, ORDER)).toBe(true);
    send('a', 4, ORDER);
    send('a', 4, EVALUATE);
    send('b', 4, EVALUATE);
    send('b', 4, ORDER);
    // The evaluation of version 4 goes on while orders are of version 5.
    send('b', 5, ORDER);
    send('b', 4, EVALUATE);
    send('b', 5, ORDER);
    send('b', 5, EVALUATE);
    await settled();
    expect(got).toEqual([
      'a order with 4',
      'a order',
      'a evaluate',
      'b evaluate with 4',
      'b order',
      'b order with 5',
      'b evaluate',
      'b order',
      'b evaluate',
    ]);
  });

  it('go again over another link, whose device may be a new one', async () => {
    const { links, got, attach } = scene('a');
    links.sendWork('a', parametersOf(0), ORDER, []);
    attach('a');
    links.sendWork('a', parametersOf(0), ORDER, []);
    await settled();
    expect(got.filter((line) => line === 'a order with 0')).toHaveLength(got.length);
  });

  it('and work go nowhere without a link, which is said', () => {
    expect(scene().links.sendWork('a', parametersOf(1), ORDER, [])).toBe(false);
  });
});

describe('links', () => {
  it('are told of, and known, for as long as they are open', async () => {
    const { links, heard, ends } = scene('a', 'b');
    ends.get('a')?.close();
    await settled();
    expect([links.has('a'), links.has('b')]).toEqual([false, true]);
    expect(heard).toEqual(['attached a', 'attached b', 'detached a']);
  });

  it('all close at the end', async () => {
    const { links, heard } = scene('a', 'b');
    links.closeAll();
    await settled();
    expect([links.has('a'), links.has('b')]).toEqual([false, false]);
    expect(heard.slice(2).sort()).toEqual(['detached a', 'detached b']);
  });

  it('in place of another: the earlier one is told to be gone, and what it says counts for nothing', async () => {
    const { links, heard, ends, attach } = scene('a');
    const earlier = ends.get('a');
    attach('a');
    await earlier?.send({ header: { type: 'ping', sentMs: 1 }, tensors: [] });
    await settled();
    expect(links.has('a')).toBe(true);
    expect(heard).toEqual(['attached a', 'detached a', 'attached a']);
  });

  it('of which one is in doubt are asked for sooner: that one alone', () => {
    const { links, doubts } = scene('a', 'b');
    links.doubt('b', true);
    links.doubt('c', true);
    links.doubt('b', false);
    expect(doubts).toEqual(['b true', 'b false']);
  });

  it('carry what a device is told alone, which is lost without one', async () => {
    const { links, got } = scene('a', 'b');
    links.abandon('a', { term: 1, round: 1, epoch: 0, order: 0 });
    links.abandon('c', { term: 1, round: 1, epoch: 0, order: 0 });
    await settled();
    expect(got).toEqual(['a abandon']);
  });
});
