import type { ModelShape } from '../../signaling/protocol/settings.ts';
import { type ModelPart, wholePart } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../api/batch.ts';
import { firstTokens, realTokens } from './hidden.ts';
import { type Loss, labelsForLoss, plainLoss } from './loss.ts';
import { isHeadAlone } from './part.ts';

/**
 * The batch as engines take it: every sample has at least its first token, which the head reads, so a length below 1 counts as 1. There
 * may be no ids where nothing is embedded and no labels where no loss is asked for; the head alone sees no other tokens than the first.
 * @throws RangeError naming what does not fit the model.
 */
export function checkedBatch(
  batch: TokenBatch,
  shape: ModelShape,
  labelCount: number,
  loss: Loss = plainLoss(labelCount),
  part: ModelPart = wholePart(shape.layers),
): TokenBatch {
  const { ids, lengths, labels, positions, tokens } = batch;
  const samples = lengths.length;
  const most = shape.maxPositions - shape.padTokenId - 1;
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > most)
    throw new RangeError(`A batch of ${tokens} tokens was given; the model takes 1 to ${most}.`);
  const labelled = labels.length === samples * labelsForLoss(loss, labelCount) || labels.length === 0;
  const hasIds = ids.length === samples * tokens || ids.length === 0;
  if (samples < 1 || !hasIds || !labelled || positions.length !== samples)
    throw new RangeError(
      `A batch of ${samples} samples and ${tokens} tokens has ${ids.length} ids, ${labels.length} labels and ${positions.length} positions.`,
    );
  const wrongId = ids.find((id) => id < 0 || id >= shape.vocabSize);
  if (wrongId !== undefined)
    throw new RangeError(`Token id ${wrongId} is outside the vocabulary of ${shape.vocabSize}.`);
  const wrongLabel = labels.find((label) => !isLabel(label, loss, labelCount));
  if (wrongLabel !== undefined)
    throw new RangeError(
      loss.kind === 'binary-cross-entropy'
        ? `Label ${wrongLabel} is neither 0 nor 1.`
        : `Label ${wrongLabel} is not one of the ${labelCount} classes.`,
    );
  const checked = { ...batch, lengths: lengths.map((length) => realTokens(length, tokens)) };
  return isHeadAlone(part) ? firstTokens(checked) : checked;
}

function isLabel(label: number, { kind }: Loss, labelCount: number): boolean {
  switch (kind) {
    case 'squared-error':
      return Number.isFinite(label);
    case 'cross-entropy':
      return Number.isInteger(label) && label >= 0 && label < labelCount;
    case 'binary-cross-entropy':
      return label === 0 || label === 1;
  }
}
