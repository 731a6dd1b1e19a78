import type { SessionView } from '../../../web/session/view/view.ts';
import { device, plan, room, rounds, SAMPLES, scores, view } from './scenarios.ts';

/** Many devices that split the samples, far into a long session: what the page has to draw smoothly. */
export function crowd(devices: number, past: number): SessionView {
  const all = Array.from({ length: devices }, (_, place) => device(place));
  const parallel = plan(
    12,
    all.map((_, place) => ({
      place,
      layers: Array.from({ length: 12 }, (__, layer) => layer),
      head: true,
      samples: { start: Math.floor((SAMPLES * place) / devices), count: 1 },
    })),
    { policy: 'data-parallel', solver: 'balanced split' },
  );
  return view({
    room: room({ devices: all, plan: parallel }, 12),
    rounds: rounds(past, parallel).map((report, i) => (i < past - 60 ? { ...report, devices: [] } : report)),
    scores: scores(past, 100),
    activity: { round: past + 1, devices: all.map(({ id }) => ({ device: id, received: 0, expected: 13 })) },
  });
}
