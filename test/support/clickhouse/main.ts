/** A ClickHouse of its own process: `tsx main.ts OPTIONS`, options as JSON. Prints its address; SIGTERM ends it. */
import { type ClickHouseOptions, startClickHouse } from './front.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as ClickHouseOptions;
const server = await startClickHouse(options);
process.once('SIGTERM', () => {
  server.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
// Whoever started it is gone when its input ends: nothing is left running behind a test that died.
process.stdin.on('end', () => process.exit(1)).resume();
process.stdout.write(`${JSON.stringify({ url: server.url, port: server.port })}\n`);
