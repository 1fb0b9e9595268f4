import { spawnSync } from 'node:child_process';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signBlobBundle, signEnvelopeBundle } from '../../admin/artifacts/index.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../admin/artifacts/provenance.ts';

/** What signs a release: both signatures are Sigstore bundles v0.3. */
export interface ReleaseSigner {
  /** Signs bytes, detached. */
  readonly signBlob: (blob: Uint8Array) => Uint8Array;
  /** Signs an in-toto statement as a DSSE envelope. */
  readonly signStatement: (statement: Uint8Array) => Uint8Array;
}

/** Signs with a private key in PEM without a password: ECDSA over P-256 or P-384. */
export function createKeySigner(key: KeyObject): ReleaseSigner {
  return {
    signBlob: (blob) => signBlobBundle(blob, key),
    signStatement: (statement) => signEnvelopeBundle(STATEMENT_PAYLOAD_TYPE, statement, key),
  };
}

/** Reads a private key in PEM. */
export function readPrivateKey(path: string): KeyObject {
  return createPrivateKey(readFileSync(path));
}

/**
 * Has cosign sign: with a key file of its own, whose password it takes from COSIGN_PASSWORD, or a key in a KMS.
 *
 * @param key as `cosign --key` takes it: a path, awskms:///…, and others
 */
export function createCosignSigner(program: string, key: string): ReleaseSigner {
  const run = (
    verb: readonly string[],
    content: Uint8Array,
    contentArguments: (path: string) => readonly string[],
  ) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-sign-'));
    try {
      const [input, bundle] = [join(folder, 'input'), join(folder, 'bundle.json')];
      writeFileSync(input, content);
      // A configuration that names no service: nothing of a release goes into a public log.
      const config = join(folder, 'signing-config.json');
      writeFileSync(
        config,
        JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' }),
      );
      const words = [...verb, '--yes', '--key', key, '--bundle', bundle, '--signing-config', config];
      const { status, stderr } = spawnSync(program, [...words, ...contentArguments(input)], {
        encoding: 'utf8',
        stdio: ['inherit', 'ignore', 'pipe'],
      });
      if (status !== 0) throw new Error(`cosign ${verb.join(' ')} failed: ${stderr.trim().slice(-500)}`);
      return readFileSync(bundle);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  return {
    signBlob: (blob) => run(['sign-blob'], blob, (path) => [path]),
    signStatement: (statement) => run(['attest-blob'], statement, (path) => ['--statement', path]),
  };
}
