/**
 * The dimensions of delivery: those of views, and what only a request has.
 *
 * A request's own CDN, country and network count before those of its view; its content is the view's where that is known,
 * else what the request says. The point of presence is the request's own.
 */
import { requestDimensions } from '../tables/delivery.ts';
import { dimensionAliases, dimensions } from './dimensions.ts';

export interface DeliveryDimension {
  readonly name: string;
  readonly title: string;
  readonly definition: string;
  /** True: `delivery_5s` carries it. */
  readonly windowed: boolean;
}

/** What only a request has. */
const own: readonly DeliveryDimension[] = [
  {
    name: 'object_type',
    title: 'Object type',
    definition: '`manifest`, `init`, `segment`, `key`, `other`.',
    windowed: true,
  },
  {
    name: 'status_class',
    title: 'Status class',
    definition: '`1xx` to `5xx`; `none` without an answer.',
    windowed: true,
  },
  {
    name: 'protocol',
    title: 'Protocol',
    definition: 'As its standard writes it, such as `HTTP/2`.',
    windowed: true,
  },
  {
    name: 'cache',
    title: 'Cache status',
    definition: '`hit`, `stale`, `revalidated`, `miss`, `bypass`, `error`: edge logs alone.',
    windowed: false,
  },
];

const carried: ReadonlySet<string> = new Set([
  ...dimensions.filter(({ interval }) => interval).map(({ name }) => name),
  ...requestDimensions.map(({ name }) => name),
]);

export const deliveryDimensions: readonly DeliveryDimension[] = [
  ...own,
  ...dimensions.map(({ name, title, definition }) => ({
    name,
    title,
    definition,
    windowed: carried.has(name),
  })),
];

/** What only requests have: the catalogue of views knows the others. */
export const requestOnlyDimensions: readonly DeliveryDimension[] = own;

const byName = new Map(deliveryDimensions.map((entry) => [entry.name, entry]));

/** The dimension of a name or alias; undefined when there is none. */
export function findDeliveryDimension(name: string): DeliveryDimension | undefined {
  return byName.get(dimensionAliases[name] ?? name);
}
