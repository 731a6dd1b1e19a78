import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly problem?: string | undefined;
}

interface FrameProps extends FieldProps {
  readonly id: string;
  readonly children: ComponentChildren;
}

/** A label above its control, what it means below, and what is wrong with it beside it. */
function Frame({ id, label, hint, problem, children }: FrameProps) {
  return (
    <div class={problem === undefined ? 'field' : 'field field-wrong'}>
      <label for={id}>{label}</label>
      {children}
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

function described(id: string, { hint, problem }: Pick<FieldProps, 'hint' | 'problem'>) {
  const by = [problem === undefined ? '' : `${id}-problem`, hint === undefined ? '' : `${id}-hint`].join(' ').trim();
  return {
    ...(by === '' ? {} : { 'aria-describedby': by }),
    ...(problem === undefined ? {} : { 'aria-invalid': true }),
  };
}

interface TextFieldProps extends FieldProps {
  readonly name: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly numeric?: boolean;
  readonly suggestions?: readonly string[];
  readonly maxLength?: number;
  readonly code?: boolean;
}

export function TextField(props: TextFieldProps) {
  const id = useId();
  const { name, value, onValue, numeric = false, suggestions, code = false } = props;
  return (
    <Frame id={id} {...props}>
      <input
        id={id}
        name={name}
        type="text"
        class={code ? 'code-input' : undefined}
        value={value}
        inputMode={numeric ? 'decimal' : undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellcheck={false}
        list={suggestions === undefined ? undefined : `${id}-list`}
        onInput={(event) => onValue(event.currentTarget.value)}
        {...described(id, props)}
      />
      {suggestions !== undefined && (
        <datalist id={`${id}-list`}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      )}
    </Frame>
  );
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

interface SelectFieldProps extends FieldProps {
  readonly name: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  /** Choices, some of them under a name. */
  readonly options: readonly (Choice | { readonly group: string; readonly options: readonly Choice[] })[];
}

export function SelectField(props: SelectFieldProps) {
  const id = useId();
  return (
    <Frame id={id} {...props}>
      <select
        id={id}
        name={props.name}
        value={props.value}
        onChange={(event) => props.onValue(event.currentTarget.value)}
        {...described(id, props)}
      >
        {props.options.map((option) =>
          'group' in option ? (
            <optgroup key={option.group} label={option.group}>
              {option.options.map(optionElement)}
            </optgroup>
          ) : (
            optionElement(option)
          ),
        )}
      </select>
    </Frame>
  );
}

const optionElement = ({ value, label }: Choice) => (
  <option key={value} value={value}>
    {label}
  </option>
);

interface ChecksProps<T extends string> extends FieldProps {
  readonly name: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly chosen: readonly T[];
  readonly onChosen: (chosen: readonly T[]) => void;
}

/** Several of a few. */
export function Checks<T extends string>({ label, name, hint, problem, options, chosen, onChosen }: ChecksProps<T>) {
  const id = useId();
  return (
    <fieldset
      class={problem === undefined ? 'field checks' : 'field checks field-wrong'}
      name={name}
      {...described(id, { hint, problem })}
    >
      <legend>{label}</legend>
      <div class="checks-list">
        {options.map(({ value, label: text }) => (
          <label key={value} class="check">
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={(event) =>
                onChosen(event.currentTarget.checked ? [...chosen, value] : chosen.filter((one) => one !== value))
              }
            />
            {text}
          </label>
        ))}
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
    </fieldset>
  );
}
