import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { localLinkPair } from '../../web/session/links/message-link.ts';
import { Heirs } from '../../web/session/own/heirs.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import type { LinkProof } from '../../web/session/view/view.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';

const [ANNA, BERT] = ['annaanna', 'bertbert'];
const PUBLIC: HostRequest['task'] = { id: 'sst2', endpoint: 'https://hub.example' };
const OWN: HostRequest['task'] = {
  ...{ id: 'own', endpoint: '' },
  own: {
    ...{ title: 'Own', kind: 'classification', dev: null },
    columns: { text: 'text', pair: null, label: 'label' },
    train: { name: 'rows.csv', bytes: new Uint8Array(9) },
  },
};

function scene(task: HostRequest['task'], before: Float32Array | null = null) {
  const store = new ViewStore('host', 'hosthost');
  const deviceLinks = new DeviceLinks();
  const best = { round: 4, value: 0.5, values: Float32Array.of(1, 2) };
  const heirs = new Heirs({
    ...{ term: 3, task, given: [], patience: 2, audits: 0.08, deviceLinks, store },
    worker: { heritage: async () => ({ dataFingerprint: 7, best, before }) },
    entrance: { kept: { secret: 'k3v9w0x7q2m5n8p4r6t1y0z3b8', door: 'link', cap: 8, removed: [], admitted: [] } },
  });
  const told: Record<string, DataMessage<'heritage'>[]> = { [ANNA]: [], [BERT]: [] };
  const link = (device: string, proof: LinkProof['proof']) => {
    const [hostEnd, deviceEnd] = localLinkPair();
    deviceEnd.onMessage(({ header, tensors }) => {
      if (header.type === 'heritage') told[device]?.push({ header, tensors });
    });
    deviceLinks.attach(device, hostEnd);
    store.dispatch({ type: 'proof', device, proof: { proof, digits: null } });
    return deviceEnd;
  };
  return { store, heirs, told, link };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
const HOLDS = { header: { type: 'holds', state: { version: 1, digest: 2 } }, tensors: [] } as const;

describe('who may go on when the host is gone', () => {
  it('of a public task is everybody who proved to know the secret: told once, and named when it holds what was learned', async () => {
    const { store, heirs, told, link } = scene(PUBLIC);
    const anna = link(ANNA, 'secret');
    link(BERT, 'compared');
    await settled();
    expect(told[ANNA]?.map(({ header }) => [header.task, header.table, header.given, header.begun])).toEqual([
      [PUBLIC, null, [], false],
    ]);
    expect(told[BERT]).toEqual([]);
    expect([heirs.mayLead(ANNA), heirs.mayLead(BERT)]).toEqual([true, false]);
    expect(store.view.heirs).toEqual([]);
    await anna.send(HOLDS);
    await settled();
    store.notice('news', 'Something happened.');
    expect(store.view.heirs).toEqual([ANNA]);
    store.dispatch({ type: 'proof', device: ANNA, proof: null });
    expect(store.view.heirs).toEqual([]);
  });

  it('of a session that began from an adapter is told that, too', async () => {
    const { told, link } = scene(PUBLIC, Float32Array.of(5, 6));
    link(ANNA, 'secret');
    await settled();
    expect(told[ANNA]?.[0]?.header.begun).toBe(true);
    expect(told[ANNA]?.[0]?.tensors).toEqual([Float32Array.of(1, 2), Float32Array.of(5, 6)]);
  });

  it('of a table of one’s own is nobody but whom it was given to, and not before the table is there', async () => {
    const { store, heirs, told, link } = scene(OWN);
    const anna = link(ANNA, 'secret');
    link(BERT, 'secret');
    await anna.send(HOLDS);
    await settled();
    expect([told[ANNA], told[BERT]]).toEqual([[], []]);
    heirs.giveTable('nobody00');
    heirs.giveTable(ANNA);
    await settled();
    expect(heirs.given).toEqual([ANNA]);
    expect(told[ANNA]?.map(({ header }) => [header.table?.title, header.given])).toEqual([['Own', [ANNA]]]);
    expect(told[BERT]).toEqual([]);
    expect([heirs.mayLead(ANNA), heirs.mayLead(BERT)]).toEqual([true, false]);
    expect(store.view.heirs).toEqual([]);
    await anna.send({ header: { type: 'table-held' }, tensors: [] });
    await settled();
    expect(store.view.heirs).toEqual([ANNA]);
  });
});
