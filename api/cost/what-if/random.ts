/**
 * Numbers that look drawn and are the same each time: an answer must not change while its views do not.
 *
 * A Weyl sequence through the finalizer of MurmurHash3 (Austin Appleby, public domain).
 */

const WEYL = 0x9e37_79b9;
const TWO_TO_32 = 4_294_967_296;

/** Whole numbers from 0 to below `below`. */
export function drawsBelow(below: number, seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + WEYL) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return Math.floor((((mixed ^ (mixed >>> 16)) >>> 0) / TWO_TO_32) * below);
  };
}
