import type { ComponentChildren } from 'preact';

interface ScrollFrameProps {
  readonly label: string;
  readonly kind: 'cloth-frame' | 'table-frame' | 'code-frame';
  readonly children: ComponentChildren;
}

/** What may be wider than the page scrolls in its own frame; the page itself never scrolls sideways. */
export function ScrollFrame({ label, kind, children }: ScrollFrameProps) {
  return (
    <section
      class={kind}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
    >
      {children}
    </section>
  );
}
