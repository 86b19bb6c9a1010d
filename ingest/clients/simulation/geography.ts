/** Where things are, and what the way between them takes. */

/** A place on the ground, degrees. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** Light in glass, km in a millisecond, and by how much cables are longer than the way. */
const KM_PER_MS = 200;
const DETOUR = 1.5;
const EARTH_RADIUS_KM = 6_371;
/** Round trip that there is however near the two are, ms. */
const NEAREST_RTT_MS = 2;

/** Round trip between two places, ms. */
export function roundTripMs(from: Point, to: Point): number {
  return NEAREST_RTT_MS + (2 * DETOUR * distanceKm(from, to)) / KM_PER_MS;
}

function distanceKm(from: Point, to: Point): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const latitude = Math.sin(radians(to.latitude - from.latitude) / 2) ** 2;
  const longitude = Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  const scale = Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude));
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(latitude + scale * longitude));
}
