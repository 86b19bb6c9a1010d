/** Colours of the style sheet for what is drawn on canvas, in the viewer's scheme. */
import { useEffect, useState } from 'preact/hooks';

export interface Theme {
  readonly text: string;
  readonly muted: string;
  readonly rule: string;
  readonly surface: string;
  readonly accent: string;
  readonly soft: string;
  /** Lines of a split, in order. */
  readonly lines: readonly string[];
}

const LINES = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5'] as const;

function read(): Theme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: of('--text'),
    muted: of('--muted'),
    rule: of('--rule'),
    surface: of('--surface'),
    accent: of('--accent'),
    soft: of('--accent-soft'),
    lines: LINES.map(of),
  };
}

export function useTheme(): Theme {
  const [theme, setTheme] = useState(read);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const change = (): void => setTheme(read());
    dark.addEventListener('change', change);
    return () => dark.removeEventListener('change', change);
  }, []);
  return theme;
}
