import { type Around, type Audit, type AuditState, replaced, type Stepped } from './audit-state.ts';

/** Has one more device compute it, null where there is none; `draw` chooses among those that would be done early, without one the host comes first. */
export function ask(state: AuditState, audit: Audit, around: Around, draw: number | null): Stepped | null {
  const { able, host, atMs, patienceMs } = around;
  const known = new Set([
    audit.given.device,
    ...audit.silent,
    ...[...audit.asked, ...audit.answers].map(({ device }) => device),
  ]);
  const waiting = (device: string): number =>
    state.open.filter(({ asked }) => asked.some((one) => one.device === device)).length;
  const candidates = able
    .flatMap(({ device, busySeconds, seconds }) => {
      const own = known.has(device) ? null : seconds(audit.given);
      return own === null ? [] : [{ device, finish: busySeconds + own * (1 + waiting(device)) }];
    })
    .sort((a, b) => a.finish - b.finish || (a.device < b.device ? -1 : 1));
  const half = candidates.slice(0, Math.max(2, Math.ceil(candidates.length / 2)));
  const chosen =
    draw === null
      ? (candidates.find(({ device }) => device === host) ?? candidates[0])
      : half[Math.min(half.length - 1, Math.floor(draw * half.length))];
  if (chosen === undefined) return audit.asked.length > 0 ? { state: replaced(state, audit), effects: [] } : null;
  const next = { ...audit, asked: [...audit.asked, { device: chosen.device, untilMs: atMs + patienceMs }] };
  return { state: replaced(state, next), effects: [{ type: 'ask', audit: next, device: chosen.device }] };
}
