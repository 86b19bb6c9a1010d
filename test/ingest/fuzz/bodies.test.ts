/** Bodies of every form, good, odd and damaged: refused or taken, never more than that. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { harmed } from './harm.ts';
import { type Faults, watchFaults } from './oracles.ts';
import { RUNS_TIMEOUT_MS, runs } from './runs.ts';
import { fuzzTarget, type Result } from './target.ts';
import { BEATS, CMCD, EDGE_FORMS, EPAS, WIRE_FORMS, type WireForm } from './wire-forms.ts';

let faults: Faults;
beforeAll(() => {
  faults = watchFaults();
});
afterAll(() => {
  faults.check();
  faults.stop();
});

const typeOf = ({ type }: WireForm) => ({ 'content-type': type });
const eventsMax = 1_000;

describe.each(WIRE_FORMS.map((form) => [form.name, form] as const))('%s', (_, form) => {
  it(
    'is answered and kept, or refused and kept, whatever is done to it',
    async () => {
      const { send, checkAlive } = await fuzzTarget();
      const anyBody = fc.oneof(form.good, { weight: 4, arbitrary: harmed(form.good) });
      await fc.assert(
        fc.asyncProperty(anyBody, async (body) => {
          const { statusCode, logged } = await send({ url: form.url, headers: typeOf(form), body });
          if (statusCode === 400) expect(logged.rejects).toBeGreaterThan(body.length > 0 ? 0 : -1);
          faults.check();
        }),
        runs(60),
      );
      await checkAlive();
    },
    RUNS_TIMEOUT_MS,
  );
});

interface Counted {
  readonly accepted: number;
  readonly rejectedTotal: number;
}

/** Events of a beat that the contract counts one by one; a beat that is none counts once. */
function eventsOf(beat: unknown): number {
  if (typeof beat !== 'object' || beat === null || Array.isArray(beat)) return 1;
  const { view, events } = beat as Readonly<Record<string, unknown>>;
  const isNamed = typeof view === 'string' && view !== '' && view.length <= 128;
  return isNamed && Array.isArray(events) && events.length > 0 ? events.length : 1;
}

/** The value of a body that is JSON, as a list. */
function listOf(body: Buffer): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body.toString().replace(/^\ufeff/, ''));
    if (typeof value !== 'object' || value === null) return undefined;
    return Array.isArray(value) ? value : [value];
  } catch {
    return undefined;
  }
}

/** Only a body within the limits: beyond them many are rejected as one. */
const withinLimits = (list: readonly unknown[]) =>
  list.length <= eventsMax && list.every((beat) => eventsOf(beat) <= eventsMax);

function countedIn({ body, logged }: Result): Counted {
  const counted = JSON.parse(body) as Counted;
  expect(logged.rejects).toBe(Math.min(counted.rejectedTotal, 101));
  return counted;
}

describe('what is sent adds up', () => {
  it('of native beats: accepted and rejected, in the answer and in the log', async () => {
    const { send } = await fuzzTarget();
    const anyBody = fc.oneof(BEATS.good, harmed(BEATS.good));
    await fc.assert(
      fc.asyncProperty(anyBody, async (body) => {
        const list = listOf(body);
        const result = await send({ url: BEATS.url, headers: typeOf(BEATS), body });
        expect(result.statusCode).toBe(list === undefined ? 400 : 202);
        if (list === undefined || !withinLimits(list)) return;
        const { accepted, rejectedTotal } = countedIn(result);
        expect(accepted + rejectedTotal).toBe(
          list.reduce<number>((sum, one) => sum + eventsOf(one), 0),
        );
        expect(result.logged.events).toBe(accepted);
      }),
      runs(150),
    );
  });

  it('of EPAS: every event is an event of the log or a reject', async () => {
    const { send } = await fuzzTarget();
    await fc.assert(
      fc.asyncProperty(fc.oneof(EPAS.good, harmed(EPAS.good)), async (body) => {
        const list = listOf(body);
        const { logged } = await send({ url: EPAS.url, headers: typeOf(EPAS), body });
        if (list === undefined || list.length > 100) return;
        expect(logged.events + logged.rejects).toBe(list.length);
      }),
      runs(100),
    );
  });

  it('of CMCD: every line that holds something is an event of the log or a reject', async () => {
    const { send } = await fuzzTarget();
    await fc.assert(
      fc.asyncProperty(CMCD.good, async (body) => {
        const { logged, statusCode } = await send({ url: CMCD.url, headers: typeOf(CMCD), body });
        if (statusCode !== 204) return;
        expect(logged.events + logged.rejects).toBe(body.toString().split('\n').length);
      }),
      runs(80),
    );
  });

  it.each(EDGE_FORMS.map((form) => [form.name, form] as const))(
    'of %s: every line',
    async (_, form) => {
      const { send, counters } = await fuzzTarget();
      await fc.assert(
        fc.asyncProperty(harmed(form.good), async (body) => {
          const before = counters.notes.line_left_out ?? 0;
          const result = await send({ url: form.url, headers: typeOf(form), body });
          const isGzip = body[0] === 0x1f && body[1] === 0x8b;
          if (result.statusCode !== 202 || isGzip) return;
          const { accepted, rejectedTotal } = countedIn(result);
          const { preflights } = JSON.parse(result.body) as { preflights: number };
          const leftOut = (counters.notes.line_left_out ?? 0) - before;
          const lines = body
            .toString('latin1')
            .replace(/^\xef\xbb\xbf/, '')
            .split('\n');
          const said = lines.filter((line) => /[^\t\v\f\r ]/.test(line)).length;
          expect(accepted + preflights + leftOut + rejectedTotal).toBe(said);
          expect(result.logged.requests).toBe(accepted);
        }),
        runs(40),
      );
    },
  );
});

/** Bytes in use once nothing more can be freed. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

const GROWTH_BYTES_MAX = 24_000_000;

describe('memory', () => {
  it(
    'does not grow with the requests, whoever seems to send them',
    async () => {
      const { send } = await fuzzTarget();
      const anyAgent = fc.string({ minLength: 1, maxLength: 600, unit: 'grapheme-ascii' });
      const anyForm = fc
        .constantFrom(...WIRE_FORMS)
        .chain((form) => fc.tuple(fc.constant(form), harmed(form.good), anyAgent));
      const campaign = (seed: number) =>
        fc.assert(
          fc.asyncProperty(anyForm, async ([form, body, agent]) => {
            const headers = { ...typeOf(form), 'user-agent': agent };
            await send({ url: form.url, headers, body });
          }),
          { ...runs(200), seed },
        );
      await campaign(1);
      const before = heapBytes();
      await campaign(2);
      expect(heapBytes() - before).toBeLessThan(GROWTH_BYTES_MAX);
    },
    RUNS_TIMEOUT_MS,
  );
});
