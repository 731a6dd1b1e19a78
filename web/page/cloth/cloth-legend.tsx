import type { ComponentChildren } from 'preact';
import * as say from '../../words/watch/cloth.ts';

/** What the marks of the picture mean; `bare` where some layers have no adapters. */
export function ClothLegend({ bare }: { bare: boolean }) {
  return (
    <ul class="legend">
      <li>
        <LegendMark>
          <rect class="legend-woven" x={2} y={4} width={22} height={12} rx={2} />
        </LegendMark>
        {say.trainsThisBlock}
      </li>
      <li>
        <LegendMark>
          <path class="legend-gradient" d="M6 0V20M13 0V20M20 0V20" />
        </LegendMark>
        {say.gradientPassesThrough}
      </li>
      <li>
        <LegendMark>
          <path class="legend-forward" d="M6 0V20M13 0V20M20 0V20" />
        </LegendMark>
        {say.forwardPassOnly}
      </li>
      {bare && (
        <li>
          <LegendMark>
            <path class="weft weft-bare" d="M2 10H24" />
          </LegendMark>
          {say.noAdaptersPassedNotTrained}
        </li>
      )}
      <li>
        <LegendMark>
          <rect class="legend-weight" x={7} y={1} width={12} height={17} rx={2} />
          <path class="legend-tick" d="M3 12H23" />
        </LegendMark>
        {say.weightMeasuredTimeLinePredicted}
      </li>
    </ul>
  );
}

function LegendMark({ children }: { children: ComponentChildren }) {
  return (
    <svg width={26} height={20} aria-hidden="true">
      {children}
    </svg>
  );
}

/** A device's letter on its yarn, wherever the page names it. */
export function Swatch({ letter, yarn }: { letter: string; yarn: number }) {
  return (
    <span class="chip" style={{ '--yarn': `var(--yarn-${yarn})` }} aria-hidden="true">
      {letter}
    </span>
  );
}
