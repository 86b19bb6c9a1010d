/** What a view came to: every metric it has a value for, and every dimension that is known. From the catalogue. */
import { dimensions } from '../../../schemas/catalogue/dimensions.ts';
import { type ViewMetric, viewMetrics } from '../../../schemas/catalogue/metrics.ts';
import type { ViewDetail } from '../api/answers.ts';
import { bytes, figureText, text } from '../figures/format.ts';

/** 1 of every view, or said elsewhere on the page. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'views',
  'started_views',
  'ended_views',
  'unique_viewers',
  'view_id',
]);

/** 1 of a view that has it, 0 of one that has not. */
const isFlag = ({ unit, defaultMeasure, scale }: ViewMetric): boolean =>
  unit === 'fraction' && defaultMeasure === 'ratio' && scale === 1;

/** A flag that is not raised and a count of nothing are not worth a line. */
function isTold(metric: ViewMetric, value: unknown): value is number {
  if (typeof value !== 'number' || LEFT_OUT.has(metric.id)) return false;
  return value !== 0 || !isFlag(metric);
}

export function Facts({ view }: { view: ViewDetail }) {
  const metrics = viewMetrics.filter((metric) => isTold(metric, view[metric.id]));
  const known = dimensions.filter(
    ({ name }) => typeof view[name] === 'string' && view[name] !== '' && !LEFT_OUT.has(name),
  );
  return (
    <aside class="facts" aria-label="Facts">
      <h2>Figures</h2>
      <dl>
        {metrics.map((metric) => (
          <Fact
            key={metric.id}
            title={metric.title}
            hint={metric.definition}
            value={metricText(metric, Number(view[metric.id]))}
          />
        ))}
      </dl>
      {metrics.length === 0 && <p class="empty">None yet: figures come as the view goes on.</p>}
      {view.edge !== undefined && view.edge !== null && <EdgeFacts edge={view.edge} />}
      <h2>Context</h2>
      <dl>
        <Fact
          title="Reported by"
          hint="What drives the states of the view."
          value={view.source === '' ? 'unknown' : view.source}
        />
        {known.map(({ name, title, definition }) => (
          <Fact key={name} title={title} hint={definition} value={String(view[name])} />
        ))}
      </dl>
    </aside>
  );
}

const EDGE = [
  ['requests', 'Requests', 'count', 'Requests of the view that edge logs report.'],
  ['errors', 'Of them failed', 'count', 'Those with status 400 and above.'],
  [
    'average_bitrate',
    'Bitrate requested',
    'bit/s',
    'Weighted by the media time of the requests (CMCD br and d).',
  ],
  ['average_buffer', 'Buffer at requests', 'ms', 'Mean of CMCD bl.'],
  ['measured_throughput', 'Throughput measured', 'bit/s', 'Mean of CMCD mtp.'],
  [
    'starvation_count',
    'Requests in starvation',
    'count',
    'Requests with CMCD bs: the buffer had run dry.',
  ],
] as const;

/** What edge logs say: beside the player's figures, never among them. */
function EdgeFacts({ edge }: { edge: NonNullable<ViewDetail['edge']> }) {
  const bytesSent = edge.bytes ?? null;
  return (
    <>
      <h2>Edge logs</h2>
      <dl>
        {EDGE.map(([name, title, unit, hint]) =>
          (edge[name] ?? null) === null ? null : (
            <Fact key={name} title={title} hint={hint} value={figureText(edge[name], unit)} />
          ),
        )}
        {bytesSent !== null && (
          <Fact title="Sent" hint="Bytes that edges sent for it." value={text(bytes(bytesSent))} />
        )}
      </dl>
    </>
  );
}

const metricText = (metric: ViewMetric, value: number): string =>
  isFlag(metric) ? 'yes' : figureText(value, metric.unit);

function Fact({ title, hint, value }: { title: string; hint: string; value: string }) {
  return (
    <div title={hint}>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
}
