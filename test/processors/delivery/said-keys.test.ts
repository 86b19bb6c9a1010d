import { expect, it } from 'vitest';
import { DeliveredRequest } from '../../../processors/delivery/request.ts';
import { SaidKeys } from '../../../processors/delivery/said-keys.ts';
import { Tuples } from '../../../processors/tuples.ts';

const request = (cdn: string) => DeliveredRequest.from({ cdn, status: 200 });

it('combinations that are made anew have the bytes that they had, also where an old one was the guess', () => {
  const tuples = new Tuples();
  const keys = new SaidKeys(tuples, 2);
  const tuple = tuples.ofView('p', []);
  const bytesOf = (cdn: string, last?: ReturnType<SaidKeys['saidOf']>) => {
    const said = keys.saidOf(request(cdn), last);
    return { said, bytes: keys.headOf(keys.keyOf(said, tuple)).valueBytes.toString('hex') };
  };
  const first = bytesOf('akamai');
  const second = bytesOf('fastly');
  expect(second.bytes).not.toBe(first.bytes);
  expect(bytesOf('fastly', second.said).said).toBe(second.said);
  keys.tidy(false);
  // The other way round, so that numbers differ.
  expect(bytesOf('fastly', second.said).bytes).toBe(second.bytes);
  expect(bytesOf('akamai', first.said).bytes).toBe(first.bytes);
});
