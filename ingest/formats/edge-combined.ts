/**
 * The combined log format (and the common one, which ends after the bytes), as nginx, Apache and Fastly write it:
 *
 *   ADDRESS IDENT USER [22/Nov/2026:05:43:04 +0100] "GET /a.ts HTTP/1.1" 200 464 "REFERRER" "AGENT"
 *
 * From nginx's documentation of ngx_http_log_module (nginx.org/en/docs/http/ngx_http_log_module.html). Guarantees: as
 * in `edge.ts`. What comes between address and time, and after the bytes, is not read; so columns may be added to the end. The
 * line has no durations, and its only CMCD is that of the query. Its time is known to the second.
 */
import type { EdgeLine, EdgeScope } from './edge.ts';
import { edgeLine, requestLineOf, UNSAID } from './edge-request.ts';
import { bytesIn, combinedClockIn } from './edge-values.ts';

const COMBINED =
  /^(?:(\S*) )?[^[]*\[([^\]]{1,40})\] "([^"\\]*(?:\\.[^"\\]*)*)" (\d{3}|-) (\d+|-)(?= |$)/s;

const NEEDS = {
  time: ['time_local', 'the time in brackets, as in 22/Nov/2026:05:43:04 +0000'],
  status: 'status',
} as const;

/** Reads one line; undefined when it is in another format. */
export function readCombinedLine(
  line: Buffer,
  text: string,
  cdn: string,
  scope: EdgeScope,
): EdgeLine | undefined {
  const parts = COMBINED.exec(text);
  if (parts === null) return undefined;
  const [, clientAddress = '', time = '', request = '', status = '', bytes = ''] = parts;
  const said = {
    ...UNSAID,
    ...requestLineOf(unescaped(request)),
    endAt: combinedClockIn(time),
    time,
    status: status === '-' ? '' : status,
    bytes: bytesIn([bytes === '-' ? '' : bytes], scope),
    cdn,
    clientAddress,
  };
  return edgeLine(line, said, NEEDS, scope);
}

/** A line that is in no format that the route takes. */
export function malformedLine(formats: string): EdgeLine {
  const message = `The line is neither JSON nor in the combined log format: send ${formats}.`;
  return { kind: 'reject', code: 'line_malformed', message };
}

/** nginx writes `\x22` for a byte, Apache `\"`. In a URL that is the same as `%22`. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\x([0-9a-f]{2})/gi, '%$1').replace(/\\(["\\])/g, '$1');
}
