import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { encodeRlp, SigningKey } from 'ethers';
import { createApprovalRoutes } from '../../enclave/api/approval-routes.ts';
import { serveHttps } from '../../enclave/api/http-server.ts';
import { createRouter } from '../../enclave/api/router.ts';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { PendingRequests, type PendingRequest } from '../../enclave/approvals/index.ts';
import { createNsmClient, type NsmClient } from '../../enclave/nsm/index.ts';
import { computeManifestPcr, formatPcrFile } from '../../attestation/index.ts';
import { EmulatedNsm, NitroRoot } from '../../local/nsm/index.ts';
import type { ApproverEntry } from '../../policy/approvals/index.ts';
import { decodePayload } from '../../policy/transactions/index.ts';
import { encodeTransaction } from '../../policy/transactions/json.ts';
import { digestRequest } from '../../shared/api/request-digest.ts';
import type { Payload } from '../../shared/api/payloads.ts';
import type { PendingRequestDocument, ReviewResponse } from '../../shared/api/requests.ts';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { parseConfiguration } from '../../shared/documents/configuration.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import { CAROL, DAVE, makeConfiguration2, MAINNET, permit } from '../shared/documents/sample-rules.ts';

export { CAROL, DAVE };
const INSTANCE = 'i-0123456789abcdef0';
const IMAGE = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
export const HOT = new SigningKey(`0x${'11'.repeat(32)}`);

/** What a test does to a node, or to what it says. */
export interface NodeChanges {
  /** Alters what the node signs for its approvers. */
  readonly alter?: (pending: PendingRequestDocument) => PendingRequestDocument;
  readonly userData?: Record<string, unknown>;
  /** Manifest that the enclave was started with, in place of its own. */
  readonly measured?: Uint8Array;
  readonly label?: string;
}

/** An unsigned transfer of ether by EIP-1559: to an address, of an amount in wei. */
export function makeTransfer(to: string, amount: bigint): Payload {
  const quantity = (value: bigint) => {
    const hex = value === 0n ? '' : value.toString(16);
    return `0x${hex.length % 2 === 0 ? hex : `0${hex}`}`;
  };
  const fields = [1n, 7n, 1_000_000_000n, 30_000_000_000n, 21_000n].map(quantity);
  const rlp = encodeRlp([...fields, to.toLowerCase(), quantity(amount), '0x', []]);
  return { kind: 'ethereum-transaction', transaction: `02${rlp.slice(2)}` };
}

/**
 * A node as far as its approvers meet it: the enclave's own routes, requests and HTTPS server, an NSM that signs, a
 * configuration that its authority has signed, and a store and a log that take everything at once.
 */
export class WaitingNode {
  readonly manifest: Uint8Array;
  readonly root: NitroRoot;
  readonly requests: PendingRequests;
  readonly #nsm: NsmClient;
  readonly #receiptKey: KeyObject;
  readonly #configuration: Uint8Array;
  readonly #changes: NodeChanges;
  readonly #userData: Uint8Array;

  private constructor(parts: {
    manifest: Uint8Array;
    root: NitroRoot;
    requests: PendingRequests;
    nsm: NsmClient;
    receiptKey: KeyObject;
    configuration: Uint8Array;
    changes: NodeChanges;
  }) {
    this.manifest = parts.manifest;
    this.root = parts.root;
    this.requests = parts.requests;
    this.#nsm = parts.nsm;
    this.#receiptKey = parts.receiptKey;
    this.#configuration = parts.configuration;
    this.#changes = parts.changes;
    this.#userData = Buffer.from(
      JSON.stringify(
        parts.changes.userData ?? { format: 'holdfast-node/2', receiptKey: publicHex(parts.receiptKey) },
      ),
    );
  }

  static async start(approvers: readonly ApproverEntry[], changes: NodeChanges = {}): Promise<WaitingNode> {
    const root = await NitroRoot.create(Date.now());
    const device = new EmulatedNsm({
      root,
      instanceId: INSTANCE,
      moduleId: `${INSTANCE}-enc0123456789abcdef`,
      measured: IMAGE,
      clock: Date.now,
    });
    const nsm = createNsmClient(device);
    const authority = generateKeyPairSync('ed25519').privateKey;
    const manifest = makeManifest(publicHex(authority));
    await nsm.extendPcr(16, digestManifest(changes.measured ?? manifest));
    await nsm.lockPcr(16);
    const ids = approvers.map(({ id }) => id);
    const document = makeConfiguration2({
      version: 4,
      manifest: Buffer.from(digestManifest(manifest)).toString('hex'),
      clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: null }],
      clientGroups: [],
      keys: [{ id: 'hot', type: 'secp256k1', networks: [MAINNET] }],
      approvers: approvers.map(({ id, credentials }) => ({ id, credentials: [...credentials] })) as never,
      approverGroups: [{ id: 'treasury', approvers: ids }],
      addressBooks: [
        {
          id: 'suppliers',
          network: MAINNET,
          entries: [{ label: changes.label ?? 'Carol & Sons', address: CAROL }],
        },
      ],
      rules: [permit({ id: 'large' })],
    });
    const payload = Buffer.from(JSON.stringify(document));
    parseConfiguration(payload);
    const envelope = createEnvelope('application/vnd.holdfast.configuration+json', payload);
    const configuration = Buffer.from(JSON.stringify(signEnvelope(envelope, authority)));
    const { requests } = await PendingRequests.restore(
      { list: () => [][Symbol.iterator]() as never, read: () => Promise.resolve(null) },
      {
        manifest: document.manifest,
        configuration: { version: 4, digest: createHash('sha384').update(payload).digest('hex') },
        approvers,
        groups: new Map([['treasury', ids]]),
        clients: new Map([['backend', { publicKey: '01'.repeat(32), person: null }]]),
        now: () => Date.now(),
      },
    );
    const receiptKey = generateKeyPairSync('ed25519').privateKey;
    return new WaitingNode({ manifest, root, requests, nsm, receiptKey, configuration, changes });
  }

  /** pcr.json of the image. */
  get pcrs(): string {
    return formatPcrFile(IMAGE);
  }

  get manifestDigest(): Uint8Array {
    return digestManifest(this.manifest);
  }

  get expectedPcr16(): Uint8Array {
    return computeManifestPcr(this.manifest);
  }

  /** Has a request of the client wait for the approvals of `count` people. */
  ask(payload: Payload, { count = 1, expires = Date.now() + 600_000 } = {}): string {
    const request = { key: 'hot', algorithm: 'ecdsa-secp256k1' as const, payload };
    const digest = digestRequest({ operation: 'sign', client: 'backend', ...request });
    return this.requests.create({
      client: 'backend',
      request,
      digest: Buffer.from(digest).toString('hex'),
      rule: 'large',
      needs: [{ group: 'treasury', count }],
      expires,
    });
  }

  /** Serves the routes for approvers on the enclave's port. */
  async serve(transport: Transport): Promise<{ close(): Promise<void> }> {
    const handler = createRouter(this.#routes(), {
      authenticate: () => {
        throw new Error('no client speaks to this node');
      },
      onError: () => undefined,
    });
    return await serveHttps(transport, await createTlsIdentity('node', Date.now()), handler);
  }

  /** Gets a request for review, as the route gives it. */
  async review(id: string): Promise<ReviewResponse> {
    const target = `/v1/requests/${id}/review`;
    const route = this.#routes().find(({ path, method }) => method === 'GET' && path.test(target));
    const parse = () => {
      throw new Error('a review has no body');
    };
    const body = new Uint8Array();
    return (await route?.act({ client: '', captures: [id], body, forward: parse, parse })) as ReviewResponse;
  }

  #routes() {
    return createApprovalRoutes({
      requests: this.requests,
      manifest: Buffer.from(digestManifest(this.manifest)).toString('hex'),
      configuration: this.#configuration,
      read: (request) => readRequest(request),
      signEnvelope: (envelope) => {
        const payload = JSON.parse(
          Buffer.from(envelope.payload, 'base64').toString(),
        ) as PendingRequestDocument;
        const altered = this.#changes.alter?.(payload) ?? payload;
        return signEnvelope(
          createEnvelope(envelope.payloadType, Buffer.from(JSON.stringify(altered))),
          this.#receiptKey,
        );
      },
      attest: () => this.#nsm.attest({ userData: this.#userData }),
      recordVote: ({ apply }) => Promise.resolve(apply()),
      resume: () => Promise.reject(new Error('no client speaks to this node')),
      now: Date.now,
    });
  }
}

function readRequest({ request }: PendingRequest) {
  const publicKey = HOT.compressedPublicKey.slice(2);
  const { transaction } = decodePayload(request.payload, {
    algorithm: request.algorithm,
    publicKey: new Uint8Array(Buffer.from(publicKey, 'hex')),
    networks: [MAINNET],
    ownKeys: [],
  });
  return {
    transaction: encodeTransaction(transaction),
    context: { publicKey, networks: [MAINNET], ownKeys: [] },
  };
}

function publicHex(privateKey: KeyObject): string {
  return Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
}

function makeManifest(authority: string): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      format: 'holdfast-manifest/1',
      namespace: 'demo',
      environment: 'test',
      node: 1,
      quorum: { size: 1, threshold: 1 },
      kms: {
        keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
        region: 'eu-central-1',
      },
      configurationAuthority: { threshold: 1, keys: [authority] },
      emergencyRecovery: { publicKey: '22'.repeat(32) },
    }),
  );
}
