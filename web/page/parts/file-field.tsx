import { useId, useState } from 'preact/hooks';
import * as say from '../../words/start/parts.ts';
import { droppedFiles } from './dropped-files.ts';

interface FileFieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problem?: string | undefined;
  /** As the `accept` attribute of an input. */
  readonly accept: string;
  readonly multiple?: boolean;
  /** A whole folder, or files of one. */
  readonly folder?: boolean;
  /** Names of what has been chosen; empty before. */
  readonly chosen: string;
  readonly onFiles: (files: readonly File[]) => void;
}

/**
 * Files from a dialog or dropped onto the field. The browser's own input does the work, so keyboards and screen readers know it; its
 * looks are ours, because it would say "no file chosen" of a file that was dropped, or chosen before a session.
 */
export function FileField({
  name,
  label,
  hint,
  problem,
  accept,
  multiple = false,
  folder = false,
  chosen,
  onFiles,
}: FileFieldProps) {
  const id = useId();
  const [over, setOver] = useState(false);
  const by = [problem === undefined ? '' : `${id}-problem`, hint === undefined ? '' : `${id}-hint`].join(' ').trim();
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer === null) return;
    void droppedFiles(event.dataTransfer).then((files) => {
      if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
    });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the input inside does the same
    <div
      class={`field file-field${problem === undefined ? '' : ' field-wrong'}${over ? ' file-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type="file"
        class="visually-hidden"
        accept={accept}
        multiple={multiple}
        ref={(input) => void input?.toggleAttribute('webkitdirectory', folder)}
        aria-invalid={problem === undefined ? undefined : true}
        aria-describedby={by === '' ? undefined : by}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          if (files.length > 0) onFiles(files);
        }}
      />
      <div class="file-frame">
        <label class="file-button" for={id}>
          {chosen === ''
            ? folder
              ? say.chooseAFolder
              : multiple
                ? say.chooseFiles
                : say.chooseAFile
            : say.chooseAnother}
        </label>
        {chosen === '' ? (
          <span class="field-hint">
            {say.orDrop} {multiple ? 'them' : 'it'} {say.here}
          </span>
        ) : (
          <span class="file-name">{chosen}</span>
        )}
      </div>
      {problem !== undefined && (
        <p class="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
