/** Times as text: in the viewer's zone to read, in UTC to compare with logs. */

const LOCALE = 'en-GB';
const clockFormat = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });
const shortFormat = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const dayFormat = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });

/** `14:03:07`, in the viewer's zone. */
export const clock = (timeMs: number): string => clockFormat.format(timeMs);

/** `14:03`, in the viewer's zone. */
export const shortClock = (timeMs: number): string => shortFormat.format(timeMs);

/** `14:03:07` today, `21 Nov 14:03:07` on another day. */
export function moment(timeMs: number, nowMs: number): string {
  const day = dayFormat.format(timeMs);
  return day === dayFormat.format(nowMs) ? clock(timeMs) : `${day} ${clock(timeMs)}`;
}

/** `2026-11-22 14:03:07 UTC`. */
export function utc(timeMs: number): string {
  const time = new Date(timeMs);
  if (Number.isNaN(time.getTime())) return '';
  return `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** How long ago, in one unit: `4 s`, `12 min`, `3 h`. */
export function age(spanMs: number): string {
  const seconds = Math.max(0, Math.round(spanMs / 1_000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** Time since a view's start: `0:07.4`, `1:02:03.0`. */
export function offset(spanMs: number): string {
  const tenths = Math.floor(Math.abs(spanMs) / 100);
  const sign = spanMs < 0 && tenths > 0 ? '−' : '';
  const seconds = Math.floor(tenths / 10);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const clockPart = hours > 0 ? `${hours}:${two(minutes)}` : `${minutes}`;
  return `${sign}${clockPart}:${two(seconds % 60)}.${tenths % 10}`;
}
