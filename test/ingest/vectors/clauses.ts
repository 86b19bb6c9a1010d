/**
 * Which rule decides where another implementation and this one differ.
 *
 * The other one checks what a player may send (sections 2 to 5 of CTA-5004-B); this one is a collector, to which
 * section 6 applies: it takes what it can, and leaves out what it must.
 */

export type Case =
  | { readonly kind: 'value'; readonly key: string; readonly dropped: boolean }
  | { readonly kind: 'invalid'; readonly message: string };

const BAD_VALUE =
  'CTA-5004-B section 6: a value of another type than its key is ignored, the rest of its record is not.';

/** Why what the other one finds invalid is taken all the same, by its message. */
const TAKEN: readonly (readonly [RegExp, string])[] = [
  [
    /^Unknown CMCD key/,
    'CTA-5004-B section 6: an unknown key affects no known one. It is kept as it came, and no metric reads it.',
  ],
  [
    /requires? the "\w+" key to be present|must be present|Event mode requires/,
    'CTA-5004-B section 6: the server is robust against the absence of any key. Without `ts` an event has no time: ingest rejects it, the decoder reads it.',
  ],
  [
    /must only be present when|must not be present in request mode/,
    'CTA-5004-B table 1 (allowed modes) binds the player; section 6 has the server interpret each key by its definition.',
  ],
  [
    /but should be in "CMCD-/,
    'CTA-5004-B section 4.3 names a header for each key, and no rule of section 6 drops one that came in another.',
  ],
  [
    /must be a finite integer|must be an array/,
    'CTA-5004-B section 6 would drop the value; players in use send decimals for integers and items for lists, so both are read (lenient, on purpose).',
  ],
  [
    /maximum length/,
    'CTA-5004-B section 4 limits what players send; a longer text is read, and limits of ingest apply (`sid` of 128).',
  ],
  [
    /^Custom key/,
    'CTA-5004-B section 4.1 binds the player; a custom key is kept as it came, of whatever type.',
  ],
  [
    /must not end with a line feed|Empty event mode payload|Missing request body/,
    'CTA-5004-B section 3.3: spaces around records are ignored, and no record is no bad record. Every player in use ends its last line.',
  ],
  [
    /HTTP POST|POST|[Cc]ontent-[Tt]ype/,
    'CTA-5004-B section 3.3 is about the request: the route checks method and type, the decoder sees only the body.',
  ],
];

/** The rule; empty when there is none, and the difference is to be looked at. */
export function clauseOf(difference: Case): string {
  if (difference.kind === 'value') return difference.dropped ? BAD_VALUE : '';
  return TAKEN.find(([pattern]) => pattern.test(difference.message))?.[1] ?? '';
}
