/**
 * Writes small databases in MaxMind's format (https://maxmind.github.io/MaxMind-DB/): a binary tree over the bits of
 * addresses, the entries that its leaves point to, and metadata. Only what tests need: 24-bit records, IPv6 trees, maps,
 * arrays, texts and whole numbers.
 */

export type MmdbValue =
  | string
  | number
  | readonly MmdbValue[]
  | { readonly [name: string]: MmdbValue };

export interface MmdbNetwork {
  /** Such as `203.0.113.0/24` or `2001:db8::/32`. */
  readonly network: string;
  readonly entry: MmdbValue;
}

const TYPE = { text: 2, uint32: 6, map: 7, uint64: 9, array: 11 } as const;
const RECORD_BITS = 24;
const SEPARATOR = Buffer.alloc(16);
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/** The bytes of a database. */
export function mmdb(databaseType: string, networks: readonly MmdbNetwork[]): Buffer {
  const root: Node = [undefined, undefined];
  const entries: Buffer[] = [];
  let dataBytes = 0;
  for (const { network, entry } of networks) {
    insert(root, bitsOf(network), { data: dataBytes });
    const bytes = encode(entry);
    entries.push(bytes);
    dataBytes += bytes.length;
  }
  const nodes = numbered(root);
  const tree = Buffer.concat(nodes.map((node) => nodeBytes(node, nodes)));
  return Buffer.concat([
    tree,
    SEPARATOR,
    ...entries,
    METADATA_MARKER,
    metadata(databaseType, nodes.length),
  ]);
}

interface Leaf {
  readonly data: number;
}
type Node = [Node | Leaf | undefined, Node | Leaf | undefined];

function insert(root: Node, bits: readonly (0 | 1)[], leaf: Leaf): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const next = node[bit];
    if (next !== undefined && !Array.isArray(next)) throw new Error('networks overlap');
    const below: Node = next ?? [undefined, undefined];
    node[bit] = below;
    node = below;
  }
  node[bits.at(-1) ?? 0] = leaf;
}

/** Every node, the root first. */
function numbered(root: Node): Node[] {
  const nodes: Node[] = [root];
  for (const node of nodes) {
    for (const next of node) if (Array.isArray(next)) nodes.push(next);
  }
  return nodes;
}

function nodeBytes(node: Node, nodes: readonly Node[]): Buffer {
  const bytes = Buffer.alloc((RECORD_BITS * 2) / 8);
  node.forEach((next, side) => {
    bytes.writeUIntBE(recordOf(next, nodes), side * 3, 3);
  });
  return bytes;
}

/** A node's number; the count of nodes for nothing; more for data. */
function recordOf(next: Node | Leaf | undefined, nodes: readonly Node[]): number {
  if (next === undefined) return nodes.length;
  return Array.isArray(next) ? nodes.indexOf(next) : nodes.length + SEPARATOR.length + next.data;
}

/** Bits of a network in a tree of IPv6; IPv4 lies under 96 zeros. */
function bitsOf(network: string): (0 | 1)[] {
  const [address = '', length = ''] = network.split('/');
  const isV4 = address.includes('.');
  const bytes = isV4 ? address.split('.').map(Number) : ipv6Bytes(address);
  const bits = bytes.flatMap((byte) =>
    Array.from({ length: 8 }, (_, index) => ((byte >> (7 - index)) & 1) as 0 | 1),
  );
  return [...new Array<0>(isV4 ? 96 : 0).fill(0), ...bits.slice(0, Number(length))];
}

function ipv6Bytes(address: string): number[] {
  const [left = '', right = ''] = address.split('::');
  const groups = (half: string) => half.split(':').filter((group) => group !== '');
  const zeros = 8 - groups(left).length - groups(right).length;
  return [...groups(left), ...new Array<string>(zeros).fill('0'), ...groups(right)].flatMap(
    (group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255],
  );
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(TYPE.text, text.length), text]);
  }
  if (typeof value === 'number') return encodeNumber(TYPE.uint32, value);
  if (Array.isArray(value)) {
    return Buffer.concat([control(TYPE.array, value.length), ...value.map(encode)]);
  }
  const pairs = Object.entries(value);
  return Buffer.concat([
    control(TYPE.map, pairs.length),
    ...pairs.flatMap(([name, inner]) => [encode(name), encode(inner)]),
  ]);
}

function encodeNumber(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return Buffer.concat([control(type, bytes.length), bytes]);
}

/** Types above 7 have a byte of their own. Sizes of tests are below 29 or fit into one byte more. */
function control(type: number, size: number): Buffer {
  const [short, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return type > 7
    ? Buffer.from([short, type - 7, ...more])
    : Buffer.from([(type << 5) | short, ...more]);
}

function metadata(databaseType: string, nodeCount: number): Buffer {
  const pairs: readonly (readonly [string, Buffer])[] = [
    ['node_count', encodeNumber(TYPE.uint32, nodeCount)],
    ['record_size', encode(RECORD_BITS)],
    ['ip_version', encode(6)],
    ['database_type', encode(databaseType)],
    ['languages', encode(['en'])],
    ['binary_format_major_version', encode(2)],
    ['binary_format_minor_version', encode(0)],
    ['build_epoch', encodeNumber(TYPE.uint64, 1_767_225_600)],
    ['description', encode({ en: 'for tests' })],
  ];
  return Buffer.concat([
    control(TYPE.map, pairs.length),
    ...pairs.flatMap(([name, value]) => [encode(name), value]),
  ]);
}
