import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface LazyFoldProps {
  readonly summary: string;
  readonly kind: string;
  /** Whether it is open before anybody touched it. */
  readonly open: boolean;
  readonly children: () => ComponentChildren;
}

/** A fold whose inside is drawn only while it is open: what nobody sees costs nothing. */
export function LazyFold({ summary, kind, open, children }: LazyFoldProps) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const isOpen = chosen ?? open;
  return (
    <details
      class={`fold ${kind}`}
      open={isOpen}
      onToggle={(event) => {
        const now = event.currentTarget.open;
        if (now !== isOpen) setChosen(now);
      }}
    >
      <summary>{summary}</summary>
      {isOpen && children()}
    </details>
  );
}
