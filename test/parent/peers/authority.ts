import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { CertificateFiles } from '../../../parent/peers/options.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority that issues certificates by OpenSSL's own program. */
export interface Authority {
  readonly ca: string;
  /** Issues a certificate with these names (`DNS:…`, `IP:…`), and returns the paths of its files. */
  issue(name: string, names: readonly string[], days?: number): CertificateFiles;
}

/** Makes an authority with its files in a folder. */
export function createAuthority(folder: string, name = 'ca'): Authority {
  const [ca, caKey] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const request = (...args: string[]) =>
    execFileSync('openssl', ['req', '-x509', ...KEY, ...args], { stdio: 'pipe' });
  request('-subj', `/CN=${name}`, '-keyout', caKey, '-out', ca);
  return {
    ca,
    issue(file, names, days = 2) {
      const [certificate, key] = [join(folder, `${file}.pem`), join(folder, `${file}.key`)];
      const subject = ['-subj', `/CN=${file}`, '-days', String(days), '-CA', ca, '-CAkey', caKey];
      const extensions = [`subjectAltName=${names.join(',')}`, 'basicConstraints=critical,CA:FALSE'];
      const output = ['-keyout', key, '-out', certificate];
      request(...subject, ...extensions.flatMap((one) => ['-addext', one]), ...output);
      return { ca, certificate, key };
    },
  };
}
