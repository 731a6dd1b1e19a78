import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { NamedFile } from '../../../worker/api/tables.ts';
import type { SessionFactory } from '../../session/view/view.ts';
import * as say from '../../words/start/start.ts';
import { bytesOf, folderProblem, folderSource, modelFilesOf } from '../folder/model-folder.ts';
import { readMemory } from '../join/device-memory.ts';
import { HUB_SUGGESTIONS } from '../parts/choices.ts';
import { TextField } from '../parts/field.tsx';
import { FileField } from '../parts/file-field.tsx';
import { adapterProblem, adapterText } from './adapter-files.ts';
import type { StartForm } from './form-fields.ts';
import { NUMBERS, readNumber } from './number-field.ts';
import { PreflightNote } from './preflight.tsx';
import { type CheckedSource, modelSource } from './start-form.ts';

/** A model from a hub: which one, what it takes, and how its weights are kept. */
export function HubModel({
  form,
  named,
  problem,
  ask,
  weights,
}: {
  form: Signal<StartForm>;
  /** What the person has finished naming. */
  named: CheckedSource;
  problem: string | undefined;
  ask: SessionFactory['preflight'];
  weights: ComponentChildren;
}) {
  const values = form.value;
  const memory = readMemory(values.memory);
  const samples = readNumber(values.samplesPerRound, NUMBERS.samplesPerRound);
  const maxTokens = readNumber(values.maxTokens, NUMBERS.maxTokens);
  const current = JSON.stringify(named) === JSON.stringify(modelSource(values));
  return (
    <>
      <TextField
        name="repository"
        label={say.repository}
        value={values.repository}
        suggestions={HUB_SUGGESTIONS}
        problem={problem}
        hint={say.everyDeviceDownloadsItOnce}
        onValue={(repository) => {
          form.value = { ...form.peek(), repository };
        }}
      />
      {current && named.ok && (
        <PreflightNote
          source={named.source}
          weights={values.weights}
          memoryBytes={memory.ok ? memory.bytes : null}
          work={typeof samples === 'number' && typeof maxTokens === 'number' ? { samples, maxTokens } : null}
          ask={ask}
        />
      )}
      {weights}
    </>
  );
}

/** A model from a folder on this computer, which no server has. */
export function FolderModel({
  form,
  problem,
  weights,
}: {
  form: Signal<StartForm>;
  problem: string | undefined;
  weights: ComponentChildren;
}) {
  const files = form.value.folder;
  const wrong = files.length === 0 ? null : folderProblem(files);
  return (
    <>
      <FileField
        name="folder"
        label={say.theModelsFolder}
        accept=""
        multiple
        folder
        hint={say.configJsonTokenizerJson}
        chosen={files.length === 0 ? '' : folderSource(files).id.replace('folder/', '')}
        problem={wrong ?? problem}
        onFiles={(chosen) => {
          form.value = { ...form.peek(), folder: modelFilesOf(chosen) };
        }}
      />
      {files.length > 0 && wrong === null && (
        <p class="found" role="status">
          {countText(files.length, say.file, say.files)}, {bytesText(bytesOf(files))}.
        </p>
      )}
      {weights}
    </>
  );
}

/** An adapter to go on from. */
export function StartAdapter({ form, problem }: { form: Signal<StartForm>; problem: string | undefined }) {
  const files = form.value.adapterFiles;
  const wrong = files.length === 0 ? null : adapterProblem(files);
  const take = async (chosen: readonly File[]): Promise<void> => {
    const read = await Promise.all(
      chosen.map(
        async (file): Promise<NamedFile> => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) }),
      ),
    );
    form.value = { ...form.peek(), adapterFiles: read };
  };
  return (
    <>
      <FileField
        name="adapter"
        label={say.theAdaptersFiles}
        accept=".safetensors,.json"
        multiple
        hint={say.adapterConfigJsonAndAdapter}
        chosen={listText(files.map(({ name }) => name))}
        problem={wrong ?? problem}
        onFiles={(chosen) => void take(chosen)}
      />
      {files.length > 0 && wrong === null && (
        <p class="found" role="status">
          {adapterText(files)}
        </p>
      )}
    </>
  );
}
