import { describe, expect, it } from 'vitest';
import { acceptedFormat, fileName } from '../../../api/exports/formats.ts';

describe('the format that an Accept header asks for', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['*/*', undefined],
    ['application/json', undefined],
    ['text/html', undefined],
    ['text/csv', 'csv'],
    ['TEXT/CSV; charset=utf-8', 'csv'],
    ['application/x-ndjson', 'ndjson'],
    ['application/vnd.apache.parquet', 'parquet'],
    ['text/html, text/csv', 'csv'],
    ['text/csv, */*', 'csv'],
    ['text/csv;q=0.5, application/json', undefined],
    ['text/csv;q=0.5, application/x-ndjson;q=0.8', 'ndjson'],
    ['text/csv;q=0, application/x-ndjson;q=0.1', 'ndjson'],
    ['text/csv;q=0', undefined],
    ['text/csv;q=nonsense', undefined],
  ])('%s is %s', (accept, format) => {
    expect(acceptedFormat(accept)).toBe(format);
  });
});

describe('the name of a file', () => {
  it('says whose views it holds, and from when to when', () => {
    const frame = { fromMs: Date.UTC(2026, 2, 9), toMs: Date.UTC(2026, 2, 10, 12, 30, 5) };
    expect(fileName('shop', frame, 'csv')).toBe('views-shop-20260309T000000Z-20260310T123005Z.csv');
  });

  it('has nothing that ends a header or leaves a folder', () => {
    const frame = { fromMs: 0, toMs: 1_000 };
    expect(fileName('../a"b\r\nc', frame, 'ndjson')).toBe(
      'views-___a_b__c-19700101T000000Z-19700101T000001Z.ndjson',
    );
  });
});
