import type { ColumnPreview, TablePreview } from '../../api/tables.ts';

const LABEL_NAME =
  /^(labels?|class|category|target|score|similarity|sentiment|rating|gold_label|is_duplicate|quality|y)$/i;
const SECOND_NAME = /^(sentence_?2|text_?(2|b)|question_?2|hypothesis|pair|#2 string)$/i;
const TEXT_NAME =
  /^(text(_?(1|a))?|sentence(_?1)?|premise|question(_?1)?|review|comment|body|content|message|#1 string)$/i;
const INDEX_NAME = /^(id|idx|index|no|nr|#|.*_id|.* id)$/i;

/** The columns that a table most likely means. */
export function guessColumns(columns: readonly ColumnPreview[]): TablePreview['guess'] {
  const useful = columns.filter(({ name }) => !INDEX_NAME.test(name));
  // A few texts are few different values, too; what is called a text is none of its labels.
  const unnamed = useful.filter(({ name }) => !TEXT_NAME.test(name) && !SECOND_NAME.test(name));
  const label =
    useful.find(({ name }) => LABEL_NAME.test(name)) ??
    unnamed.toReversed().find(({ labels }) => labels.classNames !== null && labels.classNames.length > 1) ??
    unnamed.toReversed().find(({ labels }) => labels.kind === 'asked');
  const texts = useful.filter((column) => column !== label);
  const text =
    texts.find(({ name }) => TEXT_NAME.test(name)) ??
    texts.filter(({ name }) => !SECOND_NAME.test(name)).toSorted((a, b) => meanLength(b) - meanLength(a))[0];
  const pair = texts.find((column) => column !== text && SECOND_NAME.test(column.name));
  return { text: text?.name ?? '', pair: pair?.name ?? '', label: label?.name ?? '' };
}

const meanLength = ({ firstValues }: ColumnPreview): number =>
  firstValues.reduce((sum, value) => sum + value.length, 0) / Math.max(1, firstValues.length);
