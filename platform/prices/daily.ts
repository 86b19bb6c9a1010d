/** Answers about usage that are the same for a CDN, a country and a day: contracts and months begin at midnight of UTC. */
import { dayStart } from './months.ts';

interface Place {
  readonly cdn: string;
  readonly country: string;
  readonly atMs: number;
}

/** Remembers what was found for each, so that many rows of usage cost little. */
export function rememberDaily<Found>(find: (place: Place) => Found): (place: Place) => Found {
  const cdns = new Map<string, Map<string, Map<number, Found>>>();
  return (place) => {
    const countries = cdns.get(place.cdn) ?? new Map<string, Map<number, Found>>();
    if (countries.size === 0) cdns.set(place.cdn, countries);
    const days = countries.get(place.country) ?? new Map<number, Found>();
    if (days.size === 0) countries.set(place.country, days);
    const day = dayStart(place.atMs);
    const found = days.get(day) ?? find(place);
    days.set(day, found);
    return found;
  };
}
