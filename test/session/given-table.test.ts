import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { MAX_GIVEN_TABLE_BYTES, TABLE_PIECE_BYTES } from '../../signaling/protocol/exchange/table-messages.ts';
import { TableComing } from '../../web/session/held/table-coming.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { TableGiving } from '../../web/session/own/table-giving.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import type { OwnTaskRequest } from '../../worker/api/tables.ts';

const ANNA = 'annaanna';
const BERT = 'bertbert';

/** Bytes that differ from place to place. */
const bytes = (length: number, from = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (from + i * 31) % 251);

const table = (train: Uint8Array, dev: Uint8Array | null = null): OwnTaskRequest => ({
  ...{ title: 'Own', kind: 'classification', columns: { text: 'text', pair: null, label: 'label' } },
  train: { name: 'train.csv', bytes: train },
  dev: dev && { name: 'dev.csv', bytes: dev },
});

function scene(own: OwnTaskRequest, spoil: (message: DataMessage<'table-piece'>) => DataMessage | null = (m) => m) {
  const store = new ViewStore('host', 'hosthost');
  const deviceLinks = new DeviceLinks();
  const giving = new TableGiving({ own, given: [], deviceLinks, store });
  const coming = new TableComing();
  const asked: DataMessage['header'][] = [];
  const ends: MessageLink[] = [];
  const link = (device: string): void => {
    const [hostEnd, deviceEnd] = localLinkPair();
    deviceLinks.attach(device, hostEnd);
    ends.push(deviceEnd);
    deviceEnd.onMessage(({ header, tensors }) => {
      if (header.type !== 'table-piece') return;
      const said = spoil({ header, tensors });
      if (said?.header.type === 'table-piece') coming.take({ header: said.header, tensors: said.tensors }, ask);
    });
  };
  const ask = (message: DataMessage): void => {
    asked.push(message.header);
    void ends.at(-1)?.send(message);
  };
  return { store, giving, coming, asked, link, ask, deviceLinks };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('a table that is given to a device', () => {
  it('is there to the byte, its dev table too, and the host knows', async () => {
    const own = table(bytes(2 * TABLE_PIECE_BYTES + 5), bytes(17, 3));
    const { giving, coming, link, ask, store, asked } = scene(own);
    giving.give(ANNA);
    link(ANNA);
    expect(store.view.tables).toEqual({ [ANNA]: 'coming' });
    coming.expect(giving.described, ask);
    await settled();
    expect(coming.own).toEqual(own);
    expect(store.view.tables).toEqual({ [ANNA]: 'held' });
    expect(asked.map((header) => ('offset' in header ? `${header.file} ${header.offset}` : header.type))).toEqual([
      'train 0',
      `train ${TABLE_PIECE_BYTES}`,
      `train ${2 * TABLE_PIECE_BYTES}`,
      'dev 0',
      'table-held',
    ]);
  });

  it('goes to nobody else who asks', async () => {
    const { giving, coming, link, ask, store } = scene(table(bytes(9)));
    giving.give(ANNA);
    link(BERT);
    coming.expect(giving.described, ask);
    await settled();
    expect(coming.own).toBeNull();
    expect(store.view.tables).toEqual({ [ANNA]: 'coming' });
  });

  it('goes on over another link where the first one was lost', async () => {
    const own = table(bytes(2 * TABLE_PIECE_BYTES));
    let lost = false;
    const { giving, coming, link, ask, asked } = scene(own, (message) => {
      if (message.header.offset === 0 || lost) return message;
      lost = true;
      return null;
    });
    giving.give(ANNA);
    link(ANNA);
    coming.expect(giving.described, ask);
    await settled();
    expect(coming.own).toBeNull();
    link(ANNA);
    coming.expect(giving.described, ask);
    await settled();
    expect(coming.own).toEqual(own);
    expect(asked.filter((header) => 'offset' in header && header.offset === 0)).toHaveLength(1);
  });

  it('is not believed where its bytes are others than the host named: asked for once more, and then no longer', async () => {
    const { giving, coming, link, ask, store, asked } = scene(table(bytes(9)), ({ header, tensors }) => ({
      header,
      tensors: tensors.map((tensor) => (tensor instanceof Uint8Array ? tensor.map((byte) => byte ^ 1) : tensor)),
    }));
    giving.give(ANNA);
    link(ANNA);
    coming.expect(giving.described, ask);
    await settled();
    coming.expect(giving.described, ask);
    await settled();
    expect(coming.own).toBeNull();
    expect(store.view.tables).toEqual({ [ANNA]: 'coming' });
    expect(asked).toHaveLength(2);
  });

  it('takes no piece that is out of place, or that is longer than what is left', async () => {
    const { giving, coming, link, ask } = scene(table(bytes(9)), (message) => message);
    giving.give(ANNA);
    link(BERT);
    coming.expect(giving.described, ask);
    const take = (offset: number, length: number) =>
      coming.take({ header: { type: 'table-piece', file: 'train', offset }, tensors: [bytes(length)] }, ask);
    expect([take(3, 6), take(0, 10), take(0, 4), take(0, 4), take(4, 6)]).toEqual(Array(5).fill(false));
    expect(
      coming.take({ header: { type: 'table-piece', file: 'train', offset: 4 }, tensors: [bytes(5, 4 * 31)] }, ask),
    ).toBe(true);
  });

  it('stays where it is when it is too large, or its columns have no end: said once', () => {
    const large = scene(table(new Uint8Array(MAX_GIVEN_TABLE_BYTES + 1)));
    large.giving.give(ANNA);
    expect(large.giving.isGivenTo(ANNA)).toBe(false);
    expect(large.store.view.notices.map(({ sentence }) => sentence)).toEqual([
      'The table stays on this device alone. It has 64 MB; at most 64 MB can be given.',
    ]);
    const long = scene({ ...table(bytes(9)), columns: { text: 't'.repeat(9000), pair: null, label: 'label' } });
    long.giving.give(ANNA);
    expect(long.store.view.notices[0]?.sentence).toContain('too long');
    expect(long.giving.given).toEqual([]);
  });
});
