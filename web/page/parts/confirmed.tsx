import { useEffect, useRef, useState } from 'preact/hooks';

/** A button that asks once before it does what cannot be undone. */
export function Confirmed({
  label,
  about,
  question,
  yes,
  no,
  onYes,
}: {
  label: string;
  /** What the button is about, for those who do not see what it stands beside. */
  about?: string;
  question: string;
  yes: string;
  no: string;
  onYes: () => void;
}) {
  const [asking, setAsking] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const again = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (asking) first.current?.focus();
    else if (asked.current) again.current?.focus();
    asked.current = asking;
  }, [asking]);
  if (!asking)
    return (
      <button
        ref={again}
        class="plain"
        type="button"
        aria-label={about === undefined ? undefined : `${label}: ${about}`}
        onClick={() => setAsking(true)}
      >
        {label}
      </button>
    );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend and a form around it
    <span class="confirm" role="group" aria-label={question}>
      {question}
      <button
        ref={first}
        class="danger"
        type="button"
        onClick={() => {
          setAsking(false);
          onYes();
        }}
      >
        {yes}
      </button>
      <button type="button" onClick={() => setAsking(false)}>
        {no}
      </button>
    </span>
  );
}
