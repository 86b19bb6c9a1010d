/**
 * Names of metrics and dimensions as the OpenAPI document lists them.
 *
 * The page finds its names in the catalogue, which the document's lists are made from; to the compiler they are texts
 * there. A name that is in neither is refused by the server, with the nearest that there is.
 */
import type { PlacesOf, QueryOf } from './client.ts';

export type IntervalMetricId = PlacesOf<'/data/v1/monitoring/metrics/{id}/breakdown'>['id'];
export type IntervalDimension = NonNullable<
  QueryOf<'/data/v1/monitoring/metrics/{id}/breakdown'>['dimension']
>;
export type ViewMetricId = PlacesOf<'/data/v1/metrics/{id}/breakdown'>['id'];
export type ViewDimension = QueryOf<'/data/v1/metrics/{id}/breakdown'>['group_by'];

export const intervalMetricId = (id: string) => id as IntervalMetricId;
export const intervalDimension = (name: string) => name as IntervalDimension;
export const viewMetricId = (id: string) => id as ViewMetricId;
export const viewDimension = (name: string) => name as ViewDimension;
