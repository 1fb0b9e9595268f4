import { createHash } from 'node:crypto';
import { describeTrustAnchor } from '../../attestation/index.ts';
import {
  attestNode,
  ClientError,
  documentReceipt,
  type NodeClient,
  type NodeIdentity,
  NodeRefusal,
  type Receipt,
  ReceiptError,
  type RequestSummary,
  type Signed,
} from '../../client/index.ts';
import { formatWitnessKey } from '../../client/witness-key.ts';
import { trustAnchorLines } from '../attestation/report.ts';
import type { ExplainResponse, KeyInfo, SignRequest, StoreUsage } from '../../shared/api/bodies.ts';
import {
  type Command,
  type CommandInput,
  type OptionSpec,
  type Outcome,
  UsageError,
} from '../common/command.ts';
import { CLIENT_OPTIONS, NODE_OPTIONS, readNodeOptions, withNode } from './connection.ts';
import { PAYLOAD_OPTIONS } from './payload.ts';
import { describePools } from './pools.ts';
import { describeSigned, readSignRequest } from './sign-request.ts';
import { nodeStatusSchema } from './status.ts';
import { writeOutput } from '../common/output-file.ts';
import { printable } from '../common/printable.ts';
import { fetchStatusPage } from '../common/status-page.ts';

const TRUST = '--url https://127.0.0.1:8443 --pcrs pcr.json --manifest manifest.json';
const AS_CLIENT = `${TRUST} --client wallet-backend --key client.pem`;

const status: Command = {
  name: 'node status',
  summary: "Print what a parent's status page says of its node. Nothing is verified: see node attest.",
  positionals: '[URL]',
  options: {},
  settings: ['status'],
  examples: ['holdfast node status http://127.0.0.1:9464'],
  run: async ({ positionals: [given], setting }) => {
    const text = given ?? setting('status');
    if (text === undefined) throw new UsageError('missing URL');
    const { node } = await fetchStatusPage(readStatusUrl(text), nodeStatusSchema);
    if (node === null) return { ok: false, text: 'no enclave has said anything yet', data: { node } };
    const { phase, code, since } = node;
    return {
      ok: phase === 'serving',
      text: `${phase}${code === null ? '' : ` ${code}`} since ${new Date(since).toISOString()}, as the parent says`,
      data: { node: { phase, code, since: new Date(since).toISOString() } },
    };
  },
};

const attest: Command = {
  name: 'node attest',
  summary: 'Have a node prove its image, its manifest and its TLS key.',
  positionals: '',
  options: {
    ...NODE_OPTIONS,
    nonce: {
      type: 'string',
      value: 'HEX',
      description: 'the nonce that it must answer to, 16 to 64 bytes (default: 32 random ones)',
    },
    output: { type: 'string', value: 'FILE', description: 'keep the attestation document there' },
  },
  examples: [`holdfast node attest ${TRUST}`, `holdfast node attest ${TRUST} --output node.attestation`],
  run: async (input) => {
    const nonce = readNonce(input.text('nonce'));
    const identity = await attestNode({ ...(await readNodeOptions(input)), ...(nonce && { nonce }) });
    const output = input.text('output');
    if (output !== undefined) await writeOutput(output, identity.documentBytes);
    return { ok: true, text: describeIdentity(identity), data: identityData(identity) };
  },
};

const keys: Command = {
  name: 'node keys',
  summary: 'List the keys that a node holds, after it has proved what it is.',
  positionals: '',
  options: CLIENT_OPTIONS,
  examples: [`holdfast node keys ${AS_CLIENT}`],
  run: (input) =>
    withNode(input, async (node) => {
      const { keys: held, store } = await node.describeKeys();
      const text = [describeKeys(held), ...(store === undefined ? [] : ['', describeUsage(store)])].join(
        '\n',
      );
      return { ok: true, text, data: { keys: held, ...(store === undefined ? {} : { store }) } };
    }),
};

const pools: Command = {
  name: 'node pools',
  summary: 'List the pools of keys that a client sees, and the keys that clients have had the node make.',
  positionals: '',
  options: CLIENT_OPTIONS,
  examples: [`holdfast node pools ${AS_CLIENT}`],
  run: (input) =>
    withNode(input, async (node) => {
      const { pools: seen } = await node.pools.list();
      return { ok: true, text: describePools(seen), data: { pools: seen } };
    }),
};

const RECEIPT_OPTION = {
  receipt: {
    type: 'string',
    value: 'FILE',
    description:
      'write the receipt there, of a denial too, with the attestation document that vouches for it',
  },
} as const satisfies Record<string, OptionSpec>;

const sign: Command = {
  name: 'node sign',
  summary: 'Have a node sign with one of its keys, after it has proved what it is.',
  positionals: 'KEY',
  options: { ...CLIENT_OPTIONS, ...PAYLOAD_OPTIONS, ...RECEIPT_OPTION },
  examples: [
    `holdfast node sign ethereum-hot --digest ${'5e'.repeat(32)} ${AS_CLIENT}`,
    `holdfast node sign solana-hot --message-file transaction.bin ${AS_CLIENT} --json`,
    `holdfast node sign ethereum-hot --kind ethereum-transaction --transaction unsigned.hex --receipt receipt.json ${AS_CLIENT}`,
  ],
  run: async (input) => {
    return await withSignRequest(input, async (node, request) => {
      const { key, algorithm } = request;
      return await finish(node, node.sign(request), input.text('receipt'), { key, algorithm });
    });
  },
};

const explain: Command = {
  name: 'node explain',
  summary:
    'Say what a node would decide on a request to sign, by which rule, and why others do not permit it.',
  positionals: 'KEY',
  options: { ...CLIENT_OPTIONS, ...PAYLOAD_OPTIONS },
  examples: [
    `holdfast node explain ethereum-hot --kind ethereum-transaction --transaction unsigned.hex ${AS_CLIENT}`,
  ],
  run: async (input) => {
    return await withSignRequest(input, async (node, request) => {
      const { key, algorithm } = request;
      const explained = await node.explain(request);
      return { ok: true, text: describeExplained(explained), data: { key, algorithm, ...explained } };
    });
  },
};

const requests: Command = {
  name: 'node requests',
  summary: 'List the requests of a client that wait for approvals, were rejected, or were carried out.',
  positionals: '',
  options: CLIENT_OPTIONS,
  examples: [`holdfast node requests ${AS_CLIENT}`],
  run: (input) =>
    withNode(input, async (node) => {
      const listed = await node.listRequests();
      const text = listed.length === 0 ? 'no requests' : listed.map(describeRequest).join('\n\n');
      return { ok: true, text, data: { requests: listed } };
    }),
};

const resume: Command = {
  name: 'node resume',
  summary:
    'Have a node carry out a request that people have approved; a second time gives the same signatures.',
  positionals: 'ID',
  options: { ...CLIENT_OPTIONS, ...RECEIPT_OPTION },
  examples: [`holdfast node resume ${'5e'.repeat(16)} --receipt receipt.json ${AS_CLIENT}`],
  run: async (input) => {
    const [id = ''] = input.positionals;
    if (!/^[0-9a-f]{32}$/.test(id)) throw new UsageError('ID is 32 hex digits in lower case');
    return await withNode(input, (node) => finish(node, node.resume(id), input.text('receipt'), {}));
  },
};

export const nodeCommands: readonly Command[] = [
  status,
  attest,
  keys,
  pools,
  sign,
  explain,
  requests,
  resume,
];

/**
 * Waits for signatures, and writes the receipt of the decision, whatever it was.
 *
 * @throws ClientError, NodeRefusal, AttestationError
 */
async function finish(
  node: NodeClient,
  signing: Promise<Signed>,
  receiptFile: string | undefined,
  data: object,
): Promise<Outcome> {
  const keepReceipt = async (receipt: Receipt | undefined) => {
    if (receiptFile === undefined) return;
    if (receipt === undefined) throw new ReceiptError('RECEIPT_MALFORMED', 'the response has no receipt');
    const kept = documentReceipt(receipt, await node.attest());
    await writeOutput(receiptFile, `${JSON.stringify(kept, null, 2)}\n`);
  };
  try {
    const response = await signing;
    await keepReceipt(response.receipt);
    return { ok: true, text: describeSigned(response), data: { ...data, ...response } };
  } catch (error) {
    if (error instanceof NodeRefusal && error.receipt !== undefined) await keepReceipt(error.receipt);
    if (!(error instanceof ClientError && error.code === 'APPROVALS_NEEDED')) throw error;
    const { id, receipt } = error.details as { id: string; receipt?: Receipt };
    await keepReceipt(receipt);
    const request = await node.getRequest(id);
    return {
      ok: false,
      text: `APPROVALS_NEEDED: not signed yet\n${describeRequest(request)}\n  next: give the id to the approvers, then: holdfast node resume ${id}`,
      data: { error: { code: error.code, message: error.message, details: { ...request } }, receipt },
    };
  }
}

/** Describes a request that waits: its id, the rule, whose consent is missing, and until when. */
function describeRequest({
  id,
  key,
  kind,
  rule,
  state,
  created,
  expires,
  needs,
  votes,
}: RequestSummary): string {
  const given = votes.map(
    ({ approver, decision }) => `${approver} ${decision === 'approve' ? 'approves' : 'rejects'}`,
  );
  return [
    `${id}  ${state}`,
    `  request     ${kind} with ${key}, since ${new Date(created).toISOString()}`,
    `  rule        ${rule}`,
    ...needs.map(
      ({ group, count, approvers }) => `  needs       ${count} of ${group}: ${approvers.join(', ')}`,
    ),
    `  votes       ${given.length === 0 ? 'none' : given.join(', ')}`,
    `  expires     ${new Date(expires).toISOString()}`,
  ].join('\n');
}

/** Reads a request to sign from the command line, and has a node act on it. */
async function withSignRequest(
  input: CommandInput,
  act: (node: NodeClient, request: SignRequest) => Promise<Outcome>,
): Promise<Outcome> {
  const complete = await readSignRequest(input);
  return await withNode(input, async (node) => act(node, await complete(() => node.keys())));
}

/** Describes a dry run in lines: what would be decided, and what each rule says. */
function describeExplained({ outcome, rule, code, needs, rules }: ExplainResponse): string {
  const groups = Object.entries(needs).map(([group, count]) => `${count} of ${group}`);
  const decision = {
    permitted: `would be permitted by rule ${rule ?? ''}`,
    pending: `would wait under rule ${rule ?? ''} for ${groups.join(' and ')}`,
    denied: `would be denied: ${code ?? ''}`,
  }[outcome];
  const lines = rules
    .filter(({ effect, matches }) => effect === 'permit' || matches)
    .map((each) =>
      each.matches
        ? `  rule ${each.rule}: ${each.effect === 'deny' ? 'denies' : 'matches'}`
        : `  ${each.words ?? each.rule}`,
    );
  return [decision, ...lines].map(printable).join('\n');
}

/** Reads a nonce of the length that a node takes. */
function readNonce(hex: string | undefined): Uint8Array | undefined {
  if (hex === undefined) return undefined;
  if (!/^(?:[0-9a-fA-F]{2}){16,64}$/.test(hex)) throw new UsageError('--nonce is 16 to 64 bytes in hex');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function readStatusUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') throw new UsageError('URL is the status page of a parent: http://host:port');
  return url;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Fingerprint of a certificate's key: SHA-256 of the SubjectPublicKeyInfo. */
function fingerprint({ tlsPublicKey }: NodeIdentity): string {
  return createHash('sha256').update(tlsPublicKey).digest('hex');
}

function describeIdentity(identity: NodeIdentity): string {
  const { document, binding } = identity;
  return [
    'verified: the image, the manifest and the TLS key are those of this node; it answered to a fresh nonce',
    ...trustAnchorLines(describeTrustAnchor(document), 15),
    `  module         ${document.moduleId}`,
    `  attested at    ${new Date(document.timestamp).toISOString()}`,
    `  configuration  version ${binding.configuration}`,
    `  session        ${binding.session}`,
    `  TLS key        SHA-256 ${fingerprint(identity)}`,
    `  import key     ${binding.importKey}`,
    ...describeLog(binding),
    ...[...document.pcrs]
      .filter(([, value]) => value.some((byte) => byte !== 0))
      .map(([index, value]) => `  ${`PCR${index}`.padEnd(13)}  ${hex(value)}`),
  ].join('\n');
}

/** Describes what the document says of the node's log and receipts, which formats before the second did not name. */
function describeLog(binding: NodeIdentity['binding']): string[] {
  if (binding.format !== 'holdfast-node/2') return [];
  const { log, receiptKey, witnesses, peerWitnesses } = binding;
  const witnessKey = formatWitnessKey(binding);
  return [
    `  receipt key    ${receiptKey}`,
    `  log            ${log.origin}`,
    `  log key        ${log.key}`,
    ...(witnessKey === undefined ? [] : [`  witness key    ${witnessKey}`]),
    `  witnesses      ${witnesses === null ? 'none' : `${witnesses.threshold} of ${witnesses.of}`}`,
    ...(peerWitnesses === undefined
      ? []
      : [`  peers          ${peerWitnesses.threshold} of ${peerWitnesses.of} must cosign`]),
  ];
}

function identityData(identity: NodeIdentity): Record<string, unknown> {
  const { document, binding } = identity;
  return {
    trustAnchor: describeTrustAnchor(document),
    nonce: document.nonce === null ? null : hex(document.nonce),
    moduleId: document.moduleId,
    instanceId: document.instanceId,
    timestamp: new Date(document.timestamp).toISOString(),
    configuration: binding.configuration,
    session: binding.session,
    importKey: binding.importKey,
    ...(binding.format === 'holdfast-node/2'
      ? {
          receiptKey: binding.receiptKey,
          log: binding.log,
          witnessKey: formatWitnessKey(binding) ?? null,
          witnesses: binding.witnesses,
          peerWitnesses: binding.peerWitnesses ?? null,
        }
      : {}),
    tlsPublicKey: hex(identity.tlsPublicKey),
    pcrs: Object.fromEntries([...document.pcrs].map(([index, value]) => [`PCR${index}`, hex(value)])),
    document: Buffer.from(identity.documentBytes).toString('base64'),
  };
}

function describeKeys(held: readonly KeyInfo[]): string {
  if (held.length === 0) return 'the configuration names no keys';
  const width = Math.max(...held.map(({ id }) => id.length));
  const typeWidth = Math.max(...held.map(({ type }) => type.length));
  return held
    .map(({ id, type, publicKey }) =>
      [id.padEnd(width), type.padEnd(typeWidth), publicKey ?? 'awaits the import of its share'].join('  '),
    )
    .join('\n');
}

function describeUsage({ records, unnamed, maximum }: StoreUsage): string {
  return `store: ${records} of ${maximum} records, ${unnamed} of which the configuration does not name`;
}
