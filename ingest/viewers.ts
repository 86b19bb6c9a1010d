/**
 * Viewer ids are personal: they reach the log as a keyed hash of the project, or raw only where the project says so.
 *
 * Guarantee: covers every place of a beat that holds dimensions. Runs after every format, so no format can forget it.
 */
import { type Project, storedViewerId } from '../platform/projects.ts';
import { type Entry, type Part, part } from '../schemas/beat.ts';
import type { FormatBeat } from './formats/format.ts';

const VIEWER = 'viewer_user_id';
const CONTEXT_CHANGE = 'streamgauge.v1.ContextChange';

/** The beat with the viewer's id as it is stored. */
export function hideViewer(beat: FormatBeat, project: Project): FormatBeat {
  if (project.rawViewerIds) return beat;
  const events = beat.events.map((event) =>
    event.parts.some(namesViewer)
      ? { ...event, parts: event.parts.map((inner) => hideInPart(inner, project)) }
      : event,
  );
  return { ...beat, context: hideInEntries(beat.context, project), events };
}

function namesViewer(inner: Part): boolean {
  return CONTEXT_CHANGE in inner && inner[CONTEXT_CHANGE].entries.some(isViewer);
}

function hideInPart(inner: Part, project: Project): Part {
  if (!(CONTEXT_CHANGE in inner)) return inner;
  return part.context(hideInEntries(inner[CONTEXT_CHANGE].entries, project));
}

function hideInEntries(entries: readonly Entry[], project: Project): readonly Entry[] {
  if (!entries.some(isViewer)) return entries;
  return entries.map((entry) =>
    isViewer(entry) ? { name: VIEWER, value: storedViewerId(project, entry.value) } : entry,
  );
}

function isViewer(entry: Entry): boolean {
  return entry.name === VIEWER;
}

/** What begins the name of a viewer's id: ours, and that of EPAS. */
const NAMES = ['"viewer_', '"userId"'];
/** A viewer's id in JSON, whatever it stands in: a text, which may have no end where the bytes have theirs, or a number. */
const SAID =
  /("(?:viewer_(?:user_)?id|userId)"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\\?$)|-?\d[\d.eE+-]*|true|false)/gs;

/**
 * The first bytes of something refused, with each viewer's id as it would be stored: what is kept to be looked at must
 * not say more than what is kept to be counted. An id that cannot be read becomes `-`. Only what is kept is gone through.
 */
export function hideViewerInBytes(bytes: Buffer, project: Project, bytesMax: number): Buffer {
  const kept = bytes.subarray(0, bytesMax);
  if (project.rawViewerIds || !NAMES.some((name) => kept.includes(name))) return kept;
  const hidden = kept.toString('latin1').replace(SAID, (_, name: string, text: string) => {
    const id = textOf(Buffer.from(text, 'latin1').toString('utf8'));
    return name + (id === undefined ? '"-"' : JSON.stringify(storedViewerId(project, id)));
  });
  return Buffer.from(hidden, 'latin1');
}

function textOf(json: string): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    return undefined;
  }
}

const STORED = /^[0-9a-f]{32}$/;

/**
 * True when every viewer of a beat that was read from kept bytes stands in them as `hideViewerInBytes` has put it there.
 * One that the sender wrote so that it is not found there (`"viewer\u005fid"`) is an id of its own choice.
 */
export function namesStoredViewers(beat: FormatBeat, kept: Buffer, project: Project): boolean {
  if (project.rawViewerIds) return true;
  const said = beat.events.flatMap(({ parts }) =>
    parts.flatMap((inner) => (CONTEXT_CHANGE in inner ? inner[CONTEXT_CHANGE].entries : [])),
  );
  const ids = [...beat.context, ...said].filter(isViewer).map(({ value }) => value);
  if (ids.length === 0) return true;
  const stored = new Set<string | undefined>(['']);
  for (const [, , text = ''] of kept.toString('latin1').matchAll(SAID)) stored.add(textOf(text));
  return ids.every((id) => stored.has(id) && (id === '' || STORED.test(id)));
}
