/** Epoch numbers of one generation of a topic never meet those of another. */
import { expect, it } from 'vitest';
import { firstEpochOf, generationOf } from '../../../platform/log/generation.ts';

it.each([
  ['qos.telemetry.v1', 1],
  ['qos.telemetry.v1.g1', 1],
  ['qos.telemetry.v1.g2', 2],
  ['qos.telemetry.v1.g17', 17],
  ['g2', 1],
  ['qos.telemetry.v1.g0', 1],
  ['qos.telemetry.v1.g999999', 1],
])('%s is generation %i', (topic, generation) => {
  expect(generationOf(topic)).toBe(generation);
});

it('begins each generation above all epochs of the one before, in exact numbers', () => {
  expect(firstEpochOf('qos.telemetry.v1')).toBe(1);
  const yearOfEpochs = (365 * 86_400) / 2;
  const second = firstEpochOf('qos.telemetry.v1.g2');
  expect(second).toBeGreaterThan(1_000 * yearOfEpochs);
  const last = firstEpochOf('qos.telemetry.v1.g131071');
  expect(Number.isSafeInteger(last + 1_000 * yearOfEpochs)).toBe(true);
});
