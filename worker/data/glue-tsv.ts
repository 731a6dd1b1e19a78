import type { ColumnChoice, TableReport } from '../api/tables.ts';
import { SourceError } from '../files/byte-source.ts';
import type { OpenFile } from '../files/open-file.ts';
import { classReading, type LabelReading } from '../table/columns/labels.ts';
import { knownDelimited } from '../table/delimited.ts';
import { DataError } from './data-error.ts';
import type { ExampleSplits } from './example.ts';
import { tableExamples } from './table-examples.ts';
import type { GlueSource } from './tasks.ts';

/** Where a task lies in GLUE's own archive, and how its files read. */
interface GlueTsv {
  readonly folder: string;
  readonly dev: string;
  readonly columns: ColumnChoice;
  /** The labels' spelling there, in the order of the classes; null for numbers. */
  readonly labels: readonly string[] | null;
  /** Names for the columns of a file that has none. */
  readonly header?: readonly string[];
}

const entailment = ['entailment', 'not_entailment'] as const;
const inference = ['entailment', 'neutral', 'contradiction'] as const;
const sentences = (label: string): ColumnChoice => ({ text: 'sentence1', pair: 'sentence2', label });

/** By the name of nyu-mll/glue's configuration; MNLI's second dev set by the split's. */
const FILES: Readonly<Record<string, GlueTsv>> = {
  cola: {
    folder: 'CoLA',
    dev: 'dev',
    columns: { text: 'sentence', pair: null, label: 'label' },
    labels: ['0', '1'],
    header: ['source', 'label', 'mark', 'sentence'],
  },
  sst2: { folder: 'SST-2', dev: 'dev', columns: { text: 'sentence', pair: null, label: 'label' }, labels: ['0', '1'] },
  mrpc: {
    folder: 'MRPC',
    dev: 'dev',
    columns: { text: '#1 String', pair: '#2 String', label: 'Quality' },
    labels: ['0', '1'],
  },
  qqp: {
    folder: 'QQP',
    dev: 'dev',
    columns: { text: 'question1', pair: 'question2', label: 'is_duplicate' },
    labels: ['0', '1'],
  },
  stsb: { folder: 'STS-B', dev: 'dev', columns: sentences('score'), labels: null },
  mnli: { folder: 'MNLI', dev: 'dev_matched', columns: sentences('gold_label'), labels: inference },
  qnli: {
    folder: 'QNLI',
    dev: 'dev',
    columns: { text: 'question', pair: 'sentence', label: 'label' },
    labels: entailment,
  },
  rte: { folder: 'RTE', dev: 'dev', columns: sentences('label'), labels: entailment },
  wnli: { folder: 'WNLI', dev: 'dev', columns: sentences('label'), labels: ['0', '1'] },
};

/**
 * A task from the files of GLUE's own archive, unpacked below `endpoint` (`endpoint/SST-2/train.tsv`). Their quotes are characters.
 * @throws SourceError or DataError with one sentence.
 */
export async function loadGlueTsv(
  open: OpenFile,
  { config, devSplit, secondDev }: GlueSource,
  endpoint: string,
): Promise<{
  readonly examples: ExampleSplits;
  readonly secondDev: { readonly name: string; readonly examples: ExampleSplits['dev'] } | null;
  readonly tables: readonly TableReport[];
}> {
  const task = FILES[config];
  if (!task) throw new DataError(`GLUE has no task "${config}".`);
  const labels: LabelReading = task.labels ? classReading(task.labels) : { kind: 'number' };
  const read = async (name: string) => {
    const url = tsvUrl(endpoint, task.folder, name);
    const file = await open(url);
    const table = knownDelimited(url, await file.read(0, file.size), '\t', task.header);
    return tableExamples(table, task.columns, labels);
  };
  const dev = await read(devFile(task, devSplit));
  const second = secondDev && (await read(devFile(task, secondDev.split)).catch(orAbsent));
  const train = await read('train');
  return {
    examples: { train: train.examples, dev: dev.examples },
    secondDev: secondDev && second && { name: secondDev.name, examples: second.examples },
    tables: [train.report, dev.report],
  };
}

/** Address of the archive's dev set of a task. */
export function glueTsvDevUrl({ config, devSplit }: GlueSource, endpoint: string): string {
  const task = FILES[config];
  if (!task) throw new DataError(`GLUE has no task "${config}".`);
  return tsvUrl(endpoint, task.folder, devFile(task, devSplit));
}

const tsvUrl = (endpoint: string, folder: string, name: string): string =>
  `${endpoint.replace(/\/+$/, '')}/${folder}/${name}.tsv`;

const devFile = ({ dev }: { readonly dev: string }, split: string): string =>
  split === 'validation_mismatched' ? 'dev_mismatched' : dev;

/** For files that a source need not have. */
export function orAbsent(error: unknown): null {
  if (error instanceof SourceError) return null;
  throw error;
}
