import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createExampleContext } from './example-context.ts';

/** Runs the `@example` of every entry point of the library, as it stands in the source, against material made here. */

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['attestation', 'attestation/eif', 'attestation/key-policy', 'client'];

/** Entry points that must have an example: the functions and classes that a user calls first. */
const ENTRY_POINTS = [
  'attestation/verifier.ts verifyAttestationDocument',
  'attestation/verifier.ts AttestationVerifier',
  'attestation/web-verifier.ts verifyAttestationDocument',
  'attestation/web-verifier.ts AttestationVerifier',
  'attestation/unverified.ts unsafeParseAttestationDocument',
  'attestation/pcr-file.ts parsePcrFile',
  'attestation/pcr-file.ts formatPcrFile',
  'attestation/file-encoding.ts decodeDocumentFile',
  'attestation/file-encoding.ts decodeCertificateFile',
  'attestation/measurement.ts computeManifestPcr',
  'attestation/pcr-difference.ts comparePcrs',
  'attestation/pcr-report.ts reportPcrs',
  'attestation/eif/build.ts buildEif',
  'attestation/eif/describe.ts describeEif',
  'attestation/eif/verify.ts verifyEif',
  'attestation/eif/signer.ts createLocalSigner',
  'attestation/eif/signer.ts createDigestSigner',
  'attestation/key-policy/lint.ts lintKeyPolicy',
  'attestation/key-policy/render.ts renderKeyPolicy',
  'attestation/key-policy/diff.ts diffKeyPolicies',
  'attestation/key-policy/gate.ts gateKeyPolicy',
  'attestation/key-policy/evaluate.ts evaluateKeyPolicy',
  'client/node-client.ts connectNode',
  'client/attest-node.ts attestNode',
  'client/node-client.ts NodeClient',
  'client/psbt.ts addPsbtSignatures',
  'client/receipts.ts verifyResponseReceipt',
  'client/dealer.ts dealShares',
  'client/dealer.ts sealShare',
  'client/key-import.ts sealKey',
  'client/node-quorum.ts NodeQuorum',
  'client/node-pools.ts NodePools',
  'client/ethereum-account.ts createEthereumAccount',
  'client/quorum-client.ts connectQuorum',
  'client/quorum-client.ts QuorumClient',
];

interface Example {
  /** File and name of the export, as in {@link ENTRY_POINTS}. */
  readonly of: string;
  readonly code: string;
}

const DOCUMENTED = /\/\*\*\n((?: \*[^\n]*\n)+?) \*\/\nexport (?:async )?(?:function\*? |class |const )(\w+)/g;
const FENCE = /@example\n```ts\n([^]*?)\n```/g;

/** Extracts the examples of a source file; an `@example` in any other form than a block of `ts` is an error. */
function readExamples(file: string): Example[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const examples = [...source.matchAll(DOCUMENTED)].flatMap(([, comment = '', name = '']) =>
    [...comment.replaceAll(/^ \* ?/gm, '').matchAll(FENCE)].map(([, code = '']) => ({
      of: `${file} ${name}`,
      code,
    })),
  );
  expect(examples).toHaveLength(source.split('@example').length - 1);
  return examples;
}

const examples = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readExamples(`${folder}/${name}`)),
);

const IMPORT = /^import (\{[^}]*\}) from ('[^']+');$/gm;
const PRINT = /console\.log\((.*)\); \/\/ (.*)$/gm;

/** Turns an example into the body of a function: imports become loads, and each printed value its expectation. */
function compile(code: string): (...given: readonly unknown[]) => Promise<void> {
  const body = code
    .replaceAll(IMPORT, 'const $1 = await load($2);')
    .replaceAll(
      PRINT,
      (_, values: string, expected: string) => `print(${JSON.stringify(expected)}, ${values});`,
    );
  const parameters = ['load', 'print', 'kmsSign', 'fetch'];
  return compileFunction(`return (async () => {\n${body}\n})();`, parameters) as ReturnType<typeof compile>;
}

describe('the examples in the sources', () => {
  it('exist for every entry point', () => {
    expect(examples.map(({ of }) => of)).toEqual(expect.arrayContaining(ENTRY_POINTS));
  });

  it.each(examples.map(({ of, code }) => [of, code] as const))(
    'of %s runs and prints what it says',
    async (_, code) => {
      const context = await createExampleContext();
      const promised = [...code.matchAll(PRINT)].map(([, , expected]) => expected);
      const printed = new Set<string>();
      const print = (expected: string, ...values: unknown[]): void => {
        expect(values.map(String).join(' ')).toBe(expected);
        printed.add(expected);
      };
      try {
        await compile(code)(context.load, print, context.kmsSign, context.fetch);
      } finally {
        await context.close();
      }
      expect(promised.length).toBeGreaterThan(0);
      expect([...printed]).toEqual([...new Set(promised)]);
    },
  );
});
