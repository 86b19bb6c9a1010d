/** A certificate for 127.0.0.1 that vouches for itself, made anew each time: no key lies in the tree. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BOOLEAN = 0x01;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
/** A tag that means something only where it stands, around other values or around bytes. */
const around = (number: number) => 0xa0 + number;
const bare = (number: number) => 0x80 + number;

/** One value in DER: tag, length, content. */
function der(tag: number, ...content: readonly (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), body]);
}

const ECDSA_SHA256 = der(
  SEQUENCE,
  der(OBJECT_ID, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]),
);
const COMMON_NAME = der(OBJECT_ID, [0x55, 0x04, 0x03]);
const BASIC_CONSTRAINTS = der(OBJECT_ID, [0x55, 0x1d, 0x13]);
const ALTERNATIVE_NAME = der(OBJECT_ID, [0x55, 0x1d, 0x11]);

export function selfSigned(): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from('127.0.0.1')))),
  );
  const day = (text: string) => der(UTC_TIME, Buffer.from(`${text}000000Z`));
  const signed = der(
    SEQUENCE,
    der(around(0), der(INTEGER, [2])),
    der(INTEGER, [1], randomBytes(15)),
    ECDSA_SHA256,
    name,
    der(SEQUENCE, day('200101'), day('491231')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(around(3), extensions()),
  );
  const signature = der(BIT_STRING, [0], sign('sha256', signed, privateKey));
  const certificate = der(SEQUENCE, signed, ECDSA_SHA256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function extensions(): Buffer {
  const authority = der(SEQUENCE, der(BOOLEAN, [0xff]));
  const address = der(SEQUENCE, der(bare(7), [127, 0, 0, 1]));
  return der(
    SEQUENCE,
    der(SEQUENCE, BASIC_CONSTRAINTS, der(BOOLEAN, [0xff]), der(OCTET_STRING, authority)),
    der(SEQUENCE, ALTERNATIVE_NAME, der(OCTET_STRING, address)),
  );
}
