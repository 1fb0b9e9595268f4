import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findMadeOrSay } from '../../support/find-made.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const TRUST_STORE_PASSWORD = 'changeit';

/**
 * Finds the folder of a client by another of AWS's SDKs, or of cosign; undefined, said loudly, where scripts/kms-client.sh
 * or cosign.sh could make none.
 */
export function findClient(client: 'python' | 'go' | 'java' | 'cosign'): string | undefined {
  return findMadeOrSay(
    `neither KMS stand-in nor gateway was shown to the client by ${client}`,
    ...(client === 'cosign' ? (['cosign.sh'] as const) : (['kms-client.sh', client] as const)),
  );
}

/** What each client has to see, whatever its language: the values are AWS's names, from the model of its service. */
export const SEEN = {
  decrypted: 'a message',
  tags: ['CreatedBy'],
  rotates: false,
  disabled: 'DisabledException',
  verified: true,
  forged: 'KMSInvalidSignatureException',
  publicKey: 'ECC_SECG_P256K1',
  mac: true,
  dataKey: true,
  pair: true,
  grants: [true],
  listed: 3,
  notFound: 'NotFoundException',
  invalid: 'ValidationException',
  pending: 'PendingDeletion',
} as const;

/** Endpoint of a KMS, and who asks it. */
export interface KmsAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Authority of the endpoint's certificate, PEM; left out for an endpoint without TLS. */
  readonly caPem?: string;
}

/** Programs of others that all use the KMS which their environment names, and nothing of the machine's own. */
export class KmsClients {
  readonly folder = temporaryFolder();
  readonly environment: NodeJS.ProcessEnv;
  readonly #caBundle: string | undefined;

  constructor({ endpoint, region, accessKeyId, secretAccessKey, caPem }: KmsAccess) {
    this.#caBundle = caPem === undefined ? undefined : join(this.folder, 'ca.pem');
    if (this.#caBundle !== undefined) writeFileSync(this.#caBundle, caPem ?? '');
    this.environment = {
      PATH: process.env['PATH'],
      HOME: this.folder,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_KMS: endpoint,
      // The second is what Go reads instead.
      ...(this.#caBundle === undefined
        ? {}
        : { AWS_CA_BUNDLE: this.#caBundle, SSL_CERT_FILE: this.#caBundle }),
    };
  }

  /** Runs boto3's client. */
  async python(made: string): Promise<unknown> {
    const script = join(dirname(fileURLToPath(import.meta.url)), 'clients/python/client.py');
    return await this.#saw(join(made, 'bin/python'), [script]);
  }

  /** Runs the client by the SDK for Go. */
  async go(made: string, ...args: string[]): Promise<unknown> {
    return await this.#saw(join(made, 'client'), args);
  }

  /** Runs the client by the SDK for Java. */
  async java(made: string): Promise<unknown> {
    return await this.#saw('java', [...(await this.#javaArguments(made)), 'Client']);
  }

  /** Runs a command of `aws kms`; returns what it has printed. */
  async cli(made: string, ...args: string[]): Promise<unknown> {
    return await this.#saw(join(made, 'bin/aws'), ['kms', ...args, '--output', 'json']);
  }

  /** Has cosign make a key, sign and verify with it, as its users do by a reference awskms:// to an alias. */
  async cosign(made: string): Promise<CosignSeen> {
    const reference = 'awskms:///alias/cosign';
    const cosign = async (...args: readonly string[]) =>
      (await run(join(made, 'cosign'), args, { env: this.environment, cwd: this.folder })).stdout;
    const at = (name: string, content?: string) => {
      const path = join(this.folder, name);
      if (content !== undefined) writeFileSync(path, content);
      return path;
    };
    const make = async () => {
      await cosign('generate-key-pair', '--kms', reference);
      return readFileSync(at('cosign.pub'), 'utf8');
    };
    // Made once: a key that the alias names already is taken.
    const [first, again] = [await make(), await make()];
    const bundle = ['--bundle', at('bundle.json')];
    // Names no service, so that nothing goes into a public log.
    const config = at('config.json', '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}');
    const blob = at('blob', 'an artifact');
    await cosign('sign-blob', '--yes', '--key', reference, ...bundle, '--signing-config', config, blob);
    const isVerified = (key: string, path: string) =>
      cosign('verify-blob', '--key', key, ...bundle, '--insecure-ignore-tlog', path).then(
        () => true,
        () => false,
      );
    return {
      pem: await cosign('public-key', '--key', reference),
      sameKey: first === again,
      verified: await isVerified(at('cosign.pub'), blob),
      verifiedByReference: await isVerified(reference, blob),
      forged: await isVerified(reference, at('other', 'another')),
    };
  }

  /** Starts the program that calls KMS as Canton does. */
  async canton(made: string): Promise<Canton> {
    const args = [...(await this.#javaArguments(made)), 'Canton'];
    return new Canton(args, { env: this.environment, cwd: this.folder });
  }

  async #javaArguments(made: string): Promise<string[]> {
    const path = ['-cp', `${made}:${made}/lib/*`];
    if (this.#caBundle === undefined) return path;
    const store = join(this.folder, 'trust.p12');
    const what = ['-importcert', '-noprompt', '-alias', 'ca', '-file', this.#caBundle];
    await run('keytool', [...what, '-keystore', store, '-storepass', TRUST_STORE_PASSWORD]);
    return [
      `-Djavax.net.ssl.trustStore=${store}`,
      `-Djavax.net.ssl.trustStorePassword=${TRUST_STORE_PASSWORD}`,
      ...path,
    ];
  }

  async #saw(program: string, args: readonly string[]): Promise<unknown> {
    const { stdout } = await run(program, args, { env: this.environment, cwd: this.folder });
    return JSON.parse(stdout) as unknown;
  }
}

/** What cosign has made of a key, and found of a signature and of another artifact. */
export interface CosignSeen {
  readonly pem: string;
  readonly sameKey: boolean;
  readonly verified: boolean;
  readonly verifiedByReference: boolean;
  readonly forged: boolean;
}

/** Key as the program of Canton's calls shows it. */
export interface CantonKey {
  readonly id: string;
  /** SubjectPublicKeyInfo, DER in hex. */
  readonly spki: string;
  readonly spec: string;
}

/** Outcome of one command: what it gave, or the name of its failure; tries of Canton's own loop, and milliseconds. */
export type CantonResult = Readonly<Record<string, unknown>> & {
  readonly error?: string;
  readonly tries: number;
  readonly ms: number;
};

/** Running program that calls KMS as Canton does, one command after the other (clients/java/Canton.java). */
export class Canton {
  readonly #child;
  readonly #lines;

  constructor(args: readonly string[], options: { readonly env: NodeJS.ProcessEnv; readonly cwd: string }) {
    this.#child = spawn('java', args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async do(...words: readonly string[]): Promise<CantonResult> {
    this.#child.stdin.write(`${words.join(' ')}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`expected an outcome of ${words.join(' ')}, found the end`);
    return JSON.parse(value) as CantonResult;
  }

  /** Carries out a command that gives a key. @throws Error where it fails */
  async key(...words: readonly string[]): Promise<CantonKey> {
    const result = await this.do(...words);
    if (result.error !== undefined) throw new Error(`${words.join(' ')}: ${result.error}`);
    return result as unknown as CantonKey;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }
}
