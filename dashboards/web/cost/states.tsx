/** What is said where there is nothing to show: what to set, or what to send. */
import type { Unpriced } from '../api/cost.ts';
import { bytes, text } from '../figures/format.ts';

/** No price book: quality is known all the same. */
export function NoPrices({ what }: { what: string }) {
  return (
    <p class="notice" role="note">
      <b>{what} needs a price book.</b> Start the server with{' '}
      <code>STREAMGAUGE_PRICES_FILE=prices.json</code>, or set <code>prices</code> of the project in
      the projects file. <code>docs/prices.example.json</code> is one to begin with.
    </p>
  );
}

/** Nothing that CDNs bill is known yet. */
export function NoEdgeLogs({ origin }: { origin: string }) {
  return (
    <section class="notice" aria-labelledby="no-logs-title">
      <h2 id="no-logs-title">No edge logs in this time</h2>
      <p>
        Cost is counted from the logs of CDNs, because those are what they bill. Send lines to{' '}
        <code>POST {origin}/v1/edge/FORMAT?key=KEY</code>; FORMAT is <code>nginx</code>,{' '}
        <code>cloudfront</code>, <code>fastly</code>, <code>akamai</code>, <code>cloudflare</code>{' '}
        or <code>ndjson</code>. To see the page at work:
      </p>
      <pre>
        <code>npm start -- simulate --viewers 200 --url {origin}</code>
      </pre>
    </section>
  );
}

const REASONS: Readonly<Record<string, string>> = {
  cdn_unknown: 'no contract names this CDN',
  date_uncovered: 'no contract holds at that time',
  region_uncovered: 'no contract covers those countries',
};

/** Usage that is in no cost: a figure that is too low must not pass for a low one. */
export function UnpricedNote({ unpriced }: { unpriced: NonNullable<Unpriced> }) {
  if (unpriced.length === 0) return null;
  return (
    <section class="notice" aria-label="Without a price">
      <b>Not all has a price.</b> What follows is in no cost:
      <ul>
        {unpriced.map(({ cdn, month, reason, bytes: size }) => (
          <li key={`${cdn} ${month} ${reason}`}>
            {cdn === '' ? 'an unnamed CDN' : cdn}, {month}: {text(bytes(size))},{' '}
            {REASONS[reason] ?? reason}
          </li>
        ))}
      </ul>
    </section>
  );
}
