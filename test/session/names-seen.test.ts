import { expect, it } from 'vitest';
import { MAX_NAMES, NamesSeen } from '../../web/session/view/names-seen.ts';
import { device } from '../page/gallery/scenarios.ts';

const named = (place: number, name: string) => ({ ...device(place), id: `id${place}`, name });

it('tells the log who was there and left, by the name they last had', () => {
  const names = new NamesSeen();
  names.note(null);
  names.note({ devices: [named(0, 'Host'), named(1, 'Phone'), named(2, 'Laptop')] });
  names.note({ devices: [named(0, 'Host'), named(1, 'Red phone')] });
  expect(names.left({ devices: [named(0, 'Host')] })).toEqual([
    { type: 'joined', device: 'id2', name: 'Laptop' },
    { type: 'left', device: 'id2', name: 'Laptop' },
    { type: 'joined', device: 'id1', name: 'Red phone' },
    { type: 'left', device: 'id1', name: 'Red phone' },
  ]);
});

it('keeps the names that were seen last', () => {
  const names = new NamesSeen();
  names.note({ devices: Array.from({ length: MAX_NAMES }, (_, i) => named(i, `D${i}`)) });
  names.note({ devices: [named(0, 'D0'), named(MAX_NAMES, 'New')] });
  const left = names.left({ devices: [] });
  expect(left).toHaveLength(2 * MAX_NAMES);
  expect(left.map((entry) => ('device' in entry ? entry.device : ''))).not.toContain('id1');
  expect(left.at(-1)).toMatchObject({ device: `id${MAX_NAMES}` });
  expect(left.at(-3)).toMatchObject({ device: 'id0' });
});
