import { partOf, type UnitRun, unitCount } from '../split.ts';
import { listText } from './lists.ts';

/** A run of a model's units: "the embeddings and layers 0–2", "layer 5 and the head", "the whole model". */
export function runText(run: UnitRun, layers: number): string {
  if (run.from === 0 && run.to === unitCount(layers)) return 'the whole model';
  const { embeddings, layers: inner, head } = partOf(run, layers);
  const count = inner.to - inner.from;
  const named = count === 0 ? [] : [count === 1 ? `layer ${inner.from}` : `layers ${inner.from}–${inner.to - 1}`];
  return listText([...(embeddings ? ['the embeddings'] : []), ...named, ...(head ? ['the head'] : [])]);
}

/** The same where there is little room: "emb, 0–2", "5, head". */
export function runShort(run: UnitRun, layers: number): string {
  const { embeddings, layers: inner, head } = partOf(run, layers);
  const count = inner.to - inner.from;
  const named = count === 0 ? [] : [count === 1 ? `${inner.from}` : `${inner.from}–${inner.to - 1}`];
  return [...(embeddings ? ['emb'] : []), ...named, ...(head ? ['head'] : [])].join(', ');
}
