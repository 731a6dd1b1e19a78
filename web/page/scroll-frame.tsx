import type { ComponentChildren, RefObject } from 'preact';

interface ScrollFrameProps {
  readonly label: string;
  readonly kind: 'cloth-frame' | 'table-frame' | 'code-frame';
  readonly frame?: RefObject<HTMLElement | null>;
  readonly children: ComponentChildren;
}

/** What may be wider than the page scrolls in its own frame; the page itself never scrolls sideways. */
export function ScrollFrame({ label, kind, frame, children }: ScrollFrameProps) {
  return (
    <section
      class={kind}
      aria-label={label}
      {...(frame === undefined ? {} : { ref: frame })}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
    >
      {children}
    </section>
  );
}
