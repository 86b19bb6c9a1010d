/** A certificate that the brokers of a test show, which is its own authority. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOST } from './free-ports.ts';

const run = promisify(execFile);

export interface BrokerCertificate {
  /** Key and certificate, for the broker. */
  readonly storeFile: string;
  readonly password: string;
  /** What a client must trust, as PEM. */
  readonly caFile: string;
}

/** Makes it with Java's own tool, because where Kafka runs there is that. */
export async function makeCertificate(folder: string): Promise<BrokerCertificate> {
  const storeFile = join(folder, 'broker.p12');
  const caFile = join(folder, 'ca.pem');
  const password = 'only-for-tests';
  const store = ['-keystore', storeFile, '-storepass', password, '-alias', 'broker'];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=broker'];
  const uses = ['-ext', `san=ip:${HOST}`, '-ext', 'bc=ca:true', '-validity', '30'];
  await run('keytool', ['-genkeypair', '-storetype', 'PKCS12', ...store, ...key, ...uses]);
  await run('keytool', ['-exportcert', '-rfc', '-file', caFile, ...store]);
  return { storeFile, password, caFile };
}
