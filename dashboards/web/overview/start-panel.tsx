/** Before the first data: how to send some. */
import { useState } from 'preact/hooks';

const beat = (origin: string): string => `NOW=$(date +%s)000
curl '${origin}/v1/beats?key=dev' -H 'Content-Type: application/json' -d '{
  "view": "my-first-view", "context": { "video_id": "movie-1", "cdn": "my-cdn" },
  "events": [
    { "seq": 0, "at": '$((NOW - 5000))', "type": "state", "state": "starting" },
    { "seq": 1, "at": '$((NOW - 4400))', "type": "state", "state": "playing" },
    { "seq": 2, "at": '$NOW', "type": "status", "buffer": 8000 } ] }'`;

const WAYS = [
  [
    'A first view of your own',
    beat,
    'It plays on until it falls silent. Without a projects file the write key is dev.',
  ],
  [
    'Recorded telemetry of real players',
    (origin: string) => `npm start -- replay test/corpus --url ${origin}`,
    'hls.js, dash.js and Shaka, good and bad networks.',
  ],
  [
    'Synthetic viewers, in real time',
    (origin: string) => `npm start -- simulate --viewers 200 --url ${origin}`,
    'Watch the figures move.',
  ],
] as const;

export function StartPanel() {
  return (
    <section class="start" aria-labelledby="start-title">
      <h2 id="start-title">No views yet</h2>
      <p>
        The server runs and waits for players. Send something, and it shows here within seconds;
        this page looks again by itself. What each route takes is in the{' '}
        <a href="docs">API reference</a>.
      </p>
      {WAYS.map(([title, command, note]) => (
        <Way key={title} title={title} command={command(location.origin)} note={note} />
      ))}
    </section>
  );
}

function Way({ title, command, note }: { title: string; command: string; note: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard?.writeText(command).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <div class="way">
      <h3>{title}</h3>
      <pre>
        <code>{command}</code>
      </pre>
      <p>
        {note}{' '}
        <button type="button" class="plain" onClick={copy}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </p>
    </div>
  );
}
