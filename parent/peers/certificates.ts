import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ParentOptionError } from '../common/errors.ts';
import type { Log } from '../common/log.ts';
import type { CertificateFiles } from './options.ts';

/** PEM texts of one moment. */
export interface CertificateTexts {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Milliseconds between two looks at the files. */
const LOOK_MS = 10_000;

/**
 * Reads the files, and checks that they are of one kind and fit together.
 * @throws ParentOptionError OPTION_INVALID with the path of the file
 */
export async function readCertificates(files: CertificateFiles): Promise<CertificateTexts> {
  const [ca, cert, key] = await Promise.all(
    [files.ca, files.certificate, files.key].map(async (path) => {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        throw new ParentOptionError('OPTION_INVALID', 'a file of peers cannot be read', { path }, error);
      }
    }),
  );
  const texts = { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
  for (const [path, pem] of [
    [files.ca, texts.ca],
    [files.certificate, texts.cert],
  ] as const) {
    try {
      void new X509Certificate(pem);
    } catch (error) {
      throw new ParentOptionError('OPTION_INVALID', 'expected certificates in PEM', { path }, error);
    }
  }
  try {
    createSecureContext(texts);
  } catch (error) {
    // The text of OpenSSL's error is left out: the file is a private key.
    throw new ParentOptionError('OPTION_INVALID', 'expected the private key of the certificate, in PEM', {
      path: files.key,
      code: error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN',
    });
  }
  return texts;
}

/** Certificates of this parent, which follow their files. */
export class Certificates {
  readonly #files: CertificateFiles;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #current: CertificateTexts;
  #onChange: (() => void) | undefined;

  private constructor(files: CertificateFiles, current: CertificateTexts, log: Log) {
    this.#files = files;
    this.#current = current;
    this.#log = log;
    this.#timer = setInterval(() => void this.reload(), LOOK_MS).unref();
  }

  /** @throws ParentOptionError OPTION_INVALID */
  static async open(files: CertificateFiles, log: Log): Promise<Certificates> {
    return new Certificates(files, await readCertificates(files), log);
  }

  get current(): CertificateTexts {
    return this.#current;
  }

  /** Milliseconds since 1970 at which the certificate of this parent expires. */
  get expiresAt(): number {
    return new X509Certificate(this.#current.cert).validToDate.getTime();
  }

  /** Sets the one callback for when other certificates are in force. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Reads the files again. What does not fit together, a pair of which one half was replaced for instance, waits. */
  async reload(): Promise<void> {
    let texts: CertificateTexts;
    try {
      texts = await readCertificates(this.#files);
    } catch (error) {
      if (!(error instanceof ParentOptionError)) throw error;
      this.#log('warn', 'peers.certificates-not-reloaded', { path: String(error.details['path']) });
      return;
    }
    const { ca, cert, key } = this.#current;
    if (texts.ca === ca && texts.cert === cert && texts.key === key) return;
    this.#current = texts;
    this.#log('info', 'peers.certificates-reloaded');
    this.#onChange?.();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
