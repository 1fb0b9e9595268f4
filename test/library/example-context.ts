import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import * as crypto from 'node:crypto';
import { p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { formatVerifierKey } from '../../audit/log/index.ts';
import { signingKeyFromSeed } from '../../audit/log/node-signatures.ts';
import {
  createDecisionEntry,
  createReceipt,
  type DecisionPredicate,
  encodeEntry,
  encodeReceiptPae,
  type Receipt,
} from '../../audit/receipt/index.ts';
import * as attestation from '../../attestation/index.ts';
import * as browser from '../../attestation/browser.ts';
import * as eif from '../../attestation/eif/index.ts';
import * as keyPolicy from '../../attestation/key-policy/index.ts';
import * as client from '../../client/index.ts';
import { openShare } from '../../enclave/frost/index.ts';
import { createNsmClient } from '../../enclave/nsm/index.ts';
import { EmulatedNsm } from '../../local/nsm/index.ts';
import type { z } from 'zod';
import { type ShareImportRequest, type SignRequest } from '../../shared/api/bodies.ts';
import type { RecoveryStatus } from '../../shared/api/recovery.ts';
import type { CreatePoolKeyRequest, poolKeyResponseSchema } from '../../shared/api/pool-keys.ts';
import { digestRequest } from '../../shared/api/request-digest.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { createMemorySink } from '../attestation/eif/memory-sink.ts';
import { sampleApplication, sampleBootstrap, sampleKernel } from '../attestation/eif/raw-image.ts';
import { createTestSigner, MAY_SIGN, validNow } from '../attestation/eif/signed-image.ts';
import {
  backend,
  type FakeNode,
  MANIFEST,
  nitroRoot,
  type NodeBehaviour,
  PCRS,
  startFakeNode,
} from '../client/fake-node.ts';
import { createFakeQuorum } from '../client/fake-quorum.ts';
import { FORMS, makePsbt } from '../policy/transactions/bitcoin/support.ts';

/** What an example sees: modules by their public names, a file system, nodes by their addresses, and a KMS. */
export interface ExampleContext {
  readonly load: (module: string) => Promise<object>;
  readonly fetch: (name: string) => Promise<{ arrayBuffer: () => Promise<ArrayBuffer> }>;
  readonly kmsSign: (request: { digest: Uint8Array; algorithm: string }) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
}

const INSTANCE = 'i-0123456789abcdef0';
const MEASURED = new Map([...PCRS, [4, attestation.measureInstanceId(INSTANCE)]]);
const NODES = ['https://node-1.example:8443', 'https://node-2.example:8443'];
const OPEN_POLICY = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' },
};

/** A document of the sample image for a nonce, signed by the test's root. */
async function attest(nonce: Uint8Array): Promise<Uint8Array> {
  const device = new EmulatedNsm({
    root: nitroRoot,
    instanceId: INSTANCE,
    moduleId: `${INSTANCE}-enc0123456789abcdef`,
    measured: MEASURED,
    clock: Date.now,
  });
  const nsm = createNsmClient(device);
  await nsm.extendPcr(16, digestManifest(MANIFEST));
  await nsm.lockPcr(16);
  const document = await nsm.attest({ nonce });
  nsm.close();
  return document;
}

const ORIGIN = 'node-1.example/log';
const receiptKey = generateKeyPairSync('ed25519');
const RECEIPT_KEY = Buffer.from(receiptKey.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const LOG_KEY = signingKeyFromSeed(ORIGIN, 'ed25519', new Uint8Array(32).fill(7)).key;
/** One key, whose backup somebody keeps. */
const RECOVERY_STATUS: RecoveryStatus = {
  recoveryKey: 'a7'.repeat(32),
  keys: [
    {
      key: 'treasury',
      state: 'kept',
      required: true,
      kept: { statement: '0b'.repeat(48), keeper: 'auditor', time: '2026-11-01T00:00:00.000Z' },
      formerKeepers: [],
    },
  ],
};
const WAITING_ID = '0f'.repeat(16);
const DIGEST_PAYLOAD = { kind: 'digest', digest: '5e'.repeat(32) } as const;
const SIGNATURE = '00'.repeat(64);

/** Attests the keys of receipts and log beside the rest. */
function attestReceipts({ userData }: { readonly userData: Uint8Array }) {
  const binding = JSON.parse(Buffer.from(userData).toString()) as object;
  const log = { origin: ORIGIN, key: formatVerifierKey(LOG_KEY) };
  const receipts = { receiptKey: RECEIPT_KEY.toString('hex'), witnesses: null };
  return {
    userData: Buffer.from(JSON.stringify({ ...binding, format: 'holdfast-node/2', log, ...receipts })),
  };
}

/** Issues the receipt of a decision on a request, without a place in a log. */
function issueReceipt(request: SignRequest, session: string, parts: Partial<DecisionPredicate>): Receipt {
  const manifest = Buffer.from(digestManifest(MANIFEST)).toString('hex');
  const { key, algorithm, payload } = request;
  const predicate: DecisionPredicate = {
    node: { manifest, namespace: 'example', environment: 'test', index: 1 },
    session,
    sequence: 1,
    time: new Date().toISOString(),
    request: { client: 'backend', key, algorithm, operation: 'sign', payload: payload.kind },
    transaction: null,
    outcome: 'permitted',
    code: null,
    rule: 'any',
    reasons: [],
    needs: [],
    pendingId: null,
    approvals: [],
    charges: [],
    configuration: { version: 1, digest: 'cc'.repeat(48) },
    failure: null,
    signatures: [],
    witnesses: null,
    ...parts,
  };
  const digest = Buffer.from(digestRequest({ operation: 'sign', client: 'backend', ...request }));
  const entry = encodeEntry(createDecisionEntry(digest.toString('hex'), predicate));
  const signature = sign(null, encodeReceiptPae(entry), receiptKey.privateKey);
  return createReceipt(entry, { publicKey: RECEIPT_KEY.toString('hex'), signature }, { proof: null });
}

function respondToSign(request: SignRequest, session: string, parts: Partial<DecisionPredicate> = {}) {
  const sha256 = createHash('sha256').update(Buffer.from(SIGNATURE, 'hex')).digest('hex');
  const publicKey = '02'.repeat(33);
  const signatures = [{ index: null, publicKey, sha256 }];
  const receipt = issueReceipt(request, session, { signatures, ...parts });
  return { signature: SIGNATURE, recovery: 0, publicKey, rule: 'any', configuration: 1, receipt };
}

const ethereum = secp256k1.keygen(new Uint8Array(48).fill(7));

/** Signs a message of Ethereum (EIP-191, version 0x45) for real: the client recovers who has signed. */
function signEthereumMessage(message: string) {
  const bytes = Buffer.from(message, 'hex');
  const digest = keccak_256(
    Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes]),
  );
  const [recovery = 0, ...signature] = secp256k1.sign(digest, ethereum.secretKey, {
    prehash: false,
    format: 'recovered',
  });
  return {
    signature: Buffer.from(signature).toString('hex'),
    recovery,
    publicKey: Buffer.from(ethereum.publicKey).toString('hex'),
    rule: 'any',
    configuration: 1,
  };
}

const ETHEREUM_KEY = {
  id: 'ethereum-hot',
  type: 'secp256k1',
  publicKey: Buffer.from(ethereum.publicKey).toString('hex'),
};

/** Makes a key of a pool as it is asked for. */
function createPoolKey(request: CreatePoolKeyRequest): z.infer<typeof poolKeyResponseSchema> {
  const { token: _, ...asked } = request;
  const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
  const state = { state: 'enabled' as const, created: 1_700_000_000_000, deletionTime: null, named: false };
  return {
    key: { id, pool: 'canton', publicKey: '30'.repeat(91), ...asked, aliases: [], ...state },
    rule: 'any',
    configuration: 1,
  };
}

/** Serves a node's routes for keys: one signature of zeros, messages of Ethereum, a pool, and the import of a share. */
function serveKeys(): NonNullable<NodeBehaviour['serve']> {
  const owner = { client: 'backend', key: 'treasury' };
  const decided = { rule: 'any', configuration: 1 };
  const quorum = createFakeQuorum();
  return (target, body, node) => {
    const { session, importKey } = node;
    if (target.startsWith('/v1/quorum')) return quorum.serve(target, body, node);
    if (target === '/v1/keys') return { keys: [ETHEREUM_KEY] };
    if (target === '/v1/recovery') return RECOVERY_STATUS;
    if (target === '/v1/pools/canton/keys')
      return createPoolKey(JSON.parse(body.toString()) as CreatePoolKeyRequest);
    if (target === '/v1/sign') {
      const request = JSON.parse(body.toString()) as SignRequest;
      const { payload } = request;
      return payload.kind === 'ethereum-message'
        ? signEthereumMessage(payload.message)
        : respondToSign(request, session);
    }
    if (target === `/v1/requests/${WAITING_ID}`) {
      const request = { key: 'ethereum-hot', algorithm: 'ecdsa-secp256k1', payload: DIGEST_PAYLOAD } as const;
      return respondToSign(request, session, { pendingId: WAITING_ID });
    }
    if (target === '/v1/keys/treasury/share') {
      const request = JSON.parse(body.toString()) as ShareImportRequest;
      const destination = { manifest: digestManifest(MANIFEST), session, key: owner.key };
      const { commitments, ...expected } = request.package;
      openShare(request, importKey, destination, expected);
      return { publicKey: commitments[0], ...decided };
    }
    throw new Error(`no route ${target}`);
  };
}

async function buildImage(): Promise<{ image: Uint8Array; pcrs: ReadonlyMap<number, Uint8Array> }> {
  const sink = createMemorySink();
  const ramdisks = [sampleBootstrap, sampleApplication].map((bytes) => eif.memorySource(bytes));
  const parts = { kernel: eif.memorySource(sampleKernel), cmdline: 'reboot=t', ramdisks };
  const { measurements } = await eif.buildEif(parts, sink);
  return { image: sink.bytes(), pcrs: measurements };
}

async function createFiles(): Promise<Map<string, Uint8Array | string>> {
  const nonce = randomBytes(32);
  const document = Buffer.from(await attest(nonce));
  const another = Buffer.from(await attest(randomBytes(32)));
  const signer = await createTestSigner('P-384', [MAY_SIGN], validNow());
  const { image, pcrs } = await buildImage();
  const [one, two] = [new Uint8Array(48).fill(8), new Uint8Array(48).fill(9)];
  const nodePcrs = new Map([...PCRS, [attestation.MANIFEST_PCR, attestation.computeManifestPcr(MANIFEST)]]);
  const outputs = [{ script: FORMS.p2tr.script, amount: 40_000n }];
  const psbt = Buffer.from(makePsbt({ inputs: [{ form: 'p2tr', amount: 50_000n }], outputs })).toString(
    'base64',
  );
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  return new Map<string, Uint8Array | string>([
    ['nonce.bin', nonce],
    ['document.bin', document],
    ['document.hex', document.toString('hex')],
    ['another.hex', another.toString('hex')],
    ['response.json', JSON.stringify({ document: document.toString('base64') })],
    ['root.pem', nitroRoot.toPem().certificate],
    ['pcr.json', attestation.formatPcrFile(PCRS)],
    ['next.pcr.json', attestation.formatPcrFile(new Map([...PCRS, [0, one], [2, two]]))],
    ['node.pcr.json', attestation.formatPcrFile(nodePcrs)],
    ['manifest.json', MANIFEST],
    ['client.pem', backend.privateKey.export(pem)],
    ['bzImage', sampleKernel],
    ['bootstrap.cpio', sampleBootstrap],
    ['application.cpio', sampleApplication],
    ['enclave.eif', image],
    ['eif.pcr.json', attestation.formatPcrFile(pcrs)],
    ['image-key.pem', signer.key.export(pem)],
    ['image-certificate.pem', signer.certificate],
    ['psbt.base64', psbt],
    [
      'psbt.response.json',
      JSON.stringify({ inputs: [{ index: 0, publicKey: '02'.repeat(32), signature: SIGNATURE }] }),
    ],
    ['open-policy.json', JSON.stringify(OPEN_POLICY)],
    [
      'policy.json',
      keyPolicy.renderKeyPolicy({
        nodeRole: 'arn:aws:iam::111122223333:role/node',
        admins: ['arn:aws:iam::111122223333:role/admin'],
        images: [{ pcrs: nodePcrs }],
        encryptionContext: { 'holdfast:node': '1' },
      }),
    ],
  ]);
}

/** Makes the material for one example. The test's root stands in for AWS's, and local nodes for those of the example. */
export async function createExampleContext(): Promise<ExampleContext> {
  const files = await createFiles();
  const read = (name: string): Buffer => {
    const file = files.get(name);
    if (file === undefined)
      throw new Error(`no file ${name}: expected one of ${[...files.keys()].join(', ')}`);
    return Buffer.from(file);
  };
  const nodes: FakeNode[] = [];
  const open = async <Options extends { url: string }>(options: Options): Promise<Options> => {
    if (!NODES.includes(options.url)) throw new Error(`no node ${options.url}`);
    const node = await startFakeNode({ pcrs: MEASURED, attested: attestReceipts, serve: serveKeys() });
    nodes.push(node);
    return { ...options, url: node.url };
  };
  const root = { AWS_NITRO_ROOT_G1: nitroRoot.certificate };
  const name = '@holdfast-nodes/holdfast';
  const modules = new Map<string, object>([
    ['node:crypto', crypto],
    [
      'node:fs/promises',
      {
        readFile: async (path: string, encoding?: BufferEncoding) =>
          encoding === undefined ? read(path) : read(path).toString(encoding),
      },
    ],
    [`${name}/attestation`, { ...attestation, ...root }],
    [`${name}/attestation/browser`, { ...browser, ...root }],
    [`${name}/attestation/eif`, eif],
    [`${name}/attestation/key-policy`, keyPolicy],
    [
      `${name}/client`,
      {
        ...client,
        connectNode: async (options: client.NodeClientOptions) =>
          await client.connectNode(await open(options)),
        connectQuorum: async (options: client.QuorumClientOptions) =>
          await client.connectQuorum({ ...options, nodes: await Promise.all(options.nodes.map(open)) }),
        attestNode: async (options: client.AttestOptions) => await client.attestNode(await open(options)),
      },
    ],
  ]);
  return {
    load: async (module) => {
      const found = modules.get(module);
      if (found === undefined)
        throw new Error(`no module ${module}: expected ${[...modules.keys()].join(', ')}`);
      return found;
    },
    fetch: async (path) => ({ arrayBuffer: async () => new Uint8Array(read(path)).buffer }),
    kmsSign: async ({ digest, algorithm }) => {
      if (algorithm !== 'ES384' || digest.length !== createHash('sha384').digest().length) {
        throw new Error(`expected a SHA-384 digest for ES384, not ${digest.length} bytes for ${algorithm}`);
      }
      const { d = '' } = createPrivateKey(read('image-key.pem')).export({ format: 'jwk' });
      const secret = new Uint8Array(Buffer.from(d, 'base64url'));
      return p384.sign(digest, secret, { prehash: false, lowS: false, format: 'der' });
    },
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}
