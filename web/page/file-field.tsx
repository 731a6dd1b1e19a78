import { useId, useState } from 'preact/hooks';

interface FileFieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problem?: string | undefined;
  /** As the `accept` attribute of an input. */
  readonly accept: string;
  readonly multiple?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Files from a dialog or dropped onto the field. The browser's own input does the work, so keyboards and screen readers know it. */
export function FileField({ name, label, hint, problem, accept, multiple = false, onFiles }: FileFieldProps) {
  const id = useId();
  const [over, setOver] = useState(false);
  const by = [problem === undefined ? '' : `${id}-problem`, hint === undefined ? '' : `${id}-hint`].join(' ').trim();
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
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
        accept={accept}
        multiple={multiple}
        aria-invalid={problem === undefined ? undefined : true}
        aria-describedby={by === '' ? undefined : by}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          if (files.length > 0) onFiles(files);
        }}
      />
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
