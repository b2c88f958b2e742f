import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './tools.ts';

/** Files in PEM of a server on loopback, and the authority that vouches for it. */
export interface Certificates {
  readonly caFile: string;
  /** Text of the authority's certificate: what clients must trust. */
  readonly ca: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority and the certificate of a server at 127.0.0.1 and localhost, valid for a day. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const file = (name: string): string => path.join(folder, name);
  const [caFile, caKey, certFile, keyFile] = [
    file('ca.pem'),
    file('ca.key'),
    file('tls.pem'),
    file('tls.key'),
  ];
  const authority = ['-x509', '-days', '1', '-subj', '/CN=Test authority'];
  await run('openssl', ['req', ...NEW_KEY, ...authority, '-keyout', caKey, '-out', caFile]);
  const request = file('tls.csr');
  await run('openssl', ['req', ...NEW_KEY, '-subj', '/CN=localhost', '-keyout', keyFile, '-out', request]);
  const extensions = file('tls.ext');
  await writeFile(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const signer = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, ...signer, '-out', certFile]);
  return { caFile, ca: await readFile(caFile, 'utf8'), certFile, keyFile };
}
