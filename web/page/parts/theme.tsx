import { useState } from 'preact/hooks';
import * as say from '../../words/start/parts.ts';
import { recall, remember } from './remember.ts';

type Theme = 'auto' | 'light' | 'dark';
const NEXT: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };
const WORDS: Readonly<Record<Theme, string>> = { auto: say.asTheSystem, light: 'light', dark: 'dark' };
const KEY = 'tabloom.theme';

/** Follows the system until the person chooses; the choice is kept in this browser. */
export function ThemeButton() {
  const [theme, setTheme] = useState(keptTheme);
  const change = (): void => {
    const next = NEXT[theme];
    setTheme(next);
    applyTheme(next);
    remember(KEY, next);
  };
  return (
    <button
      class="plain theme-button"
      type="button"
      onClick={change}
      aria-label={say.coloursChange(WORDS[theme], WORDS[NEXT[theme]])}
      title={say.colours(WORDS[theme])}
    >
      <svg width={18} height={18} viewBox="0 0 18 18" aria-hidden="true">
        <circle
          cx={9}
          cy={9}
          r={7}
          fill={theme === 'dark' ? 'currentColor' : 'none'}
          stroke="currentColor"
          stroke-width={1.6}
        />
        {theme === 'auto' && <path d="M9 2a7 7 0 0 1 0 14z" fill="currentColor" />}
      </svg>
    </button>
  );
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function keptTheme(): Theme {
  const kept = recall(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}
