import { describe, expect, it } from 'vitest';
import { readServerFacts } from '../../web/page/server-facts.ts';
import { gapText, planFacts } from '../../web/page/session/plan-facts.ts';
import { baseModelNote, peftSnippet } from '../../web/page/take/export-guide.ts';
import {
  adapterChoices,
  expectedBytes,
  exportFileName,
  exportFolder,
  sessionName,
} from '../../web/page/take/export-kinds.ts';
import { zip } from '../../web/page/take/zip.ts';
import { isLoopback } from '../../web/session/links/link-address.ts';
import { preflightOf } from './gallery/before-sessions.ts';
import { device, plan, room, rounds, settings } from './gallery/scenarios.ts';

describe('zip', () => {
  const text = (words: string) => new TextEncoder().encode(words);

  it('writes one stored file byte for byte', () => {
    // A local header (30 + 1), "hello world", a central header (46 + 1), the end (22); CRC-32 of "hello world" is 0x0d4a1185.
    const bytes = Buffer.concat(zip([{ name: 'a', bytes: text('hello world') }]));
    expect(bytes.length).toBe(31 + 11 + 47 + 22);
    expect(bytes.toString('hex')).toBe(
      [
        '504b0304140000000000000021008511 4a0d0b0000000b0000000100000061',
        '68656c6c6f20776f726c64',
        '504b01021400140000000000000021008511 4a0d0b0000000b00000001000000000000000000000000000000000061',
        '504b05060000000001000100 2f0000002a0000000000',
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('points each entry at its own header', () => {
    const bytes = Buffer.concat(
      zip([
        { name: 'x/one', bytes: text('1') },
        { name: 'x/two', bytes: new Uint8Array(0) },
      ]),
    );
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const central = data.getUint32(bytes.length - 22 + 16, true);
    const second = central + 46 + 5;
    expect(data.getUint32(second, true)).toBe(0x02014b50);
    const at = data.getUint32(second + 42, true);
    expect(at).toBe(30 + 5 + 1);
    expect(data.getUint32(at, true)).toBe(0x04034b50);
  });

  it('refuses more than its fields of 32 bits can say, before it reads a byte', () => {
    // 64 times the same 64 MiB are 4 GiB.
    const large = new Uint8Array(2 ** 26);
    const files = Array.from({ length: 64 }, (_, i) => ({ name: `weights-${i}`, bytes: large }));
    expect(() => zip(files)).toThrow('The archive would have more than 4 GB');
  });
});

describe('export guide', () => {
  const embedded = settings(6, 'auto', 10);
  const hub = {
    ...embedded,
    model: { kind: 'hub', id: 'FacebookAI/roberta-base', endpoint: 'https://hub', revision: 'main' } as const,
  };

  it('names what is downloaded after model and task', () => {
    expect(sessionName(embedded)).toBe('roberta-mini-sentiment');
    expect(exportFolder('adapter', sessionName(hub))).toBe('roberta-base-sentiment-lora');
    expect(exportFileName('log', 'x')).toBe('x.jsonl');
    expect(exportFileName('onnx', 'x')).toBe('x-onnx.zip');
  });

  it('expects the sizes that the files will have, but for headers', () => {
    // 8 · (128 + 128) values for each of two targets in six layers, and a head of (128 + 2) · 129.
    expect(expectedBytes('adapter', embedded)).toBe(4 * (6 * 2 * 2048 + 130 * 129));
    const base = { ...hub, shape: preflightOf(hub.model).shape };
    // roberta-base's encoder without its pooler has 124,055,040 parameters; its head 590,592 + 2 · 769.
    expect(expectedBytes('merged', base)).toBe(4 * (124_055_040 + 592_130));
    expect(expectedBytes('log', base)).toBeNull();
  });

  it('offers the best adapter beside the last where the two differ', () => {
    const devices = [device(0)];
    const view = { room: room({ devices }), rounds: rounds(40, plan(6, [{ place: 0, layers: [5] }])) };
    expect(adapterChoices({ ...view, best: { round: 20, by: 'accuracy', value: 0.8876 } })).toEqual([
      { value: 'best', label: 'The best: accuracy 88.8 %, round 20' },
      { value: 'last', label: 'The last: round 40' },
    ]);
    expect(adapterChoices({ ...view, best: { round: 40, by: 'accuracy', value: 0.9 } })).toBeNull();
    expect(adapterChoices({ ...view, best: null })).toBeNull();
  });

  it('gives four lines of Python', () => {
    expect(peftSnippet(hub).split('\n')).toEqual([
      'from peft import PeftModel',
      'from transformers import AutoModelForSequenceClassification',
      'base = AutoModelForSequenceClassification.from_pretrained("FacebookAI/roberta-base", num_labels=2)',
      'model = PeftModel.from_pretrained(base, "roberta-base-sentiment-lora")',
    ]);
    expect(peftSnippet(embedded)).toContain('"models/roberta-mini"');
    expect(baseModelNote(embedded)).toContain('models/roberta-mini');
  });
});

describe('addresses', () => {
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]', 'tabloom.localhost'])(
    '%s opens on this machine only',
    (name) => expect(isLoopback(name)).toBe(true),
  );
  it.each(['192.168.1.20', 'example.org', '10.0.0.1', 'localhost.example.org'])('%s may open elsewhere', (name) =>
    expect(isLoopback(name)).toBe(false),
  );

  it('reads what the server says of itself and leaves out what is odd', () => {
    const config = {
      iceServers: [],
      version: 4,
      hubPath: '/hub',
      models: ['local/my-roberta', 7, '<b>'],
      addresses: ['http://192.168.1.20:8787', 7, 'javascript:alert(1)'],
    };
    expect(readServerFacts(config, 'http://localhost:8787')).toEqual({
      hub: 'http://localhost:8787/hub',
      models: ['local/my-roberta'],
      addresses: ['http://192.168.1.20:8787'],
      rooms: { kind: 'here' },
    });
    const none = { hub: null, models: [], addresses: [], rooms: { kind: 'none' } };
    for (const odd of [{ hubPath: null }, 'nonsense', null, { server: 'javascript:alert(1)' }, { version: '4' }])
      expect(readServerFacts(odd, 'http://x')).toEqual(none);
  });

  it('reads where a host of plain files says that a server is', () => {
    const { rooms } = readServerFacts({ server: 'https://rooms.example.org/tabloom/' }, 'http://x');
    expect(rooms).toEqual({ kind: 'elsewhere', server: 'https://rooms.example.org/tabloom' });
  });
});

describe('planFacts', () => {
  const two = plan(6, [{ place: 0, layers: [5], head: true }], { latencySeconds: 1.1, lowerBoundSeconds: 1 });

  it('say what was asked for and what was chosen', () => {
    const facts = planFacts(room({ devices: [device(0)], plan: two }));
    expect(Object.fromEntries(facts.map(({ what, value }) => [what, value]))).toEqual({
      Policy: 'Auto, which chose CRUNCH',
      Solver: 'crunch cutting',
      'Solved in': '0.3 ms',
      'Predicted round': '1.1 s',
      'No plan can be under': '1.0 s',
      Gap: '10 % at most',
      'Plan number': '3',
    });
    expect(planFacts(room({ devices: [] }))).toEqual([]);
  });

  it.each([
    [0.0999, 'under 0.1 ms'],
    [0.1, '0.1 ms'],
    [9.94, '9.9 ms'],
    [10, '10 ms'],
    [812.6, '813 ms'],
  ])('solved in %f ms is %s', (solveMs, text) => {
    const facts = planFacts(room({ devices: [device(0)], plan: { ...two, solveMs } }));
    expect(facts.find(({ what }) => what === 'Solved in')?.value).toBe(text);
  });

  it('tell the gap to the best possible plan', () => {
    expect(gapText(1, 1)).toBe('none: this plan is the best possible');
    expect(gapText(1.034, 1)).toBe('3.4 % at most');
    expect(gapText(1, 0)).toBe('unknown');
  });
});
