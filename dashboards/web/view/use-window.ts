/**
 * What of a timeline is seen, and the place that is pointed at: by pointer, or by keys.
 *
 * A drag shows what it covers; arrows move the cursor, + and − zoom around it, Home and End go to the ends, Escape
 * shows all again.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { timeAt, type Window, within, zoomed } from './window.ts';

export interface Lens {
  readonly window: Window;
  readonly zoomedIn: boolean;
  /** Time pointed at; null when none is. */
  readonly cursorMs: number | null;
  /** Where a drag began, while it lasts. */
  readonly dragMs: number | null;
  point(timeMs: number | null): void;
  zoom(factor: number): void;
  showAll(): void;
  readonly pointer: PointerHandlers;
  onKeyDown(event: KeyboardEvent): void;
}

export interface PointerHandlers {
  onPointerDown(event: PointerEvent): void;
  onPointerMove(event: PointerEvent): void;
  onPointerUp(event: PointerEvent): void;
  onPointerLeave(): void;
}

/** Drags shorter than this are clicks, px. */
const DRAG_PX_MIN = 5;
const STEP_SHARE = 1 / 100;

/** `placeAt`: share of the window that a pointer's x stands for, and how wide the window is, px. */
export function useWindow(
  whole: Window,
  placeAt: (clientX: number) => { readonly place: number; readonly widthPx: number },
): Lens {
  const [chosen, setChosen] = useState<Window | null>(null);
  const [cursorMs, setCursor] = useState<number | null>(null);
  const [dragMs, setDrag] = useState<number | null>(null);
  const window = useMemo(() => (chosen === null ? whole : within(chosen, whole)), [chosen, whole]);
  const newest = useRef({ window, whole, cursorMs, dragMs, placeAt });
  useEffect(() => {
    newest.current = { window, whole, cursorMs, dragMs, placeAt };
  });

  const zoom = useCallback((factor: number) => {
    const { window: seen, whole: all, cursorMs: at } = newest.current;
    const next = zoomed(seen, all, at ?? (seen.fromMs + seen.toMs) / 2, factor);
    setChosen(next.toMs - next.fromMs >= all.toMs - all.fromMs ? null : next);
  }, []);
  const showAll = useCallback(() => setChosen(null), []);

  const pointer = useMemo<PointerHandlers>(() => {
    const timeOf = (event: PointerEvent): number => {
      const { window: seen, placeAt: locate } = newest.current;
      return timeAt(seen, locate(event.clientX).place);
    };
    return {
      onPointerDown(event) {
        if (event.button === 0 && event.pointerType !== 'touch') setDrag(timeOf(event));
      },
      onPointerMove(event) {
        setCursor(timeOf(event));
      },
      onPointerUp(event) {
        const { window: seen, whole: all, dragMs: from, placeAt: locate } = newest.current;
        const at = timeOf(event);
        setDrag(null);
        setCursor(at);
        if (from === null) return;
        const widthPx =
          (Math.abs(at - from) / (seen.toMs - seen.fromMs)) * locate(event.clientX).widthPx;
        if (widthPx < DRAG_PX_MIN) return;
        setChosen(within({ fromMs: Math.min(from, at), toMs: Math.max(from, at) }, all));
      },
      onPointerLeave() {
        setDrag(null);
      },
    };
  }, []);

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      const { window: seen, cursorMs: at } = newest.current;
      const span = seen.toMs - seen.fromMs;
      const from = at ?? seen.fromMs;
      const move = (timeMs: number): void =>
        setCursor(Math.min(seen.toMs, Math.max(seen.fromMs, timeMs)));
      const step = span * STEP_SHARE * (event.shiftKey ? 10 : 1);
      const actions: Readonly<Record<string, () => void>> = {
        ArrowRight: () => move(from + step),
        ArrowLeft: () => move(from - step),
        Home: () => move(seen.fromMs),
        End: () => move(seen.toMs),
        '+': () => zoom(1 / 2),
        '=': () => zoom(1 / 2),
        '-': () => zoom(2),
        Escape: showAll,
      };
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    },
    [zoom, showAll],
  );

  return {
    window,
    zoomedIn: chosen !== null,
    cursorMs,
    dragMs,
    point: setCursor,
    zoom,
    showAll,
    pointer,
    onKeyDown,
  };
}
