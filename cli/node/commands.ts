import { createHash } from 'node:crypto';
import { describeTrustAnchor } from '../../attestation/index.ts';
import { attestNode, type NodeIdentity } from '../../client/index.ts';
import { trustAnchorLines } from '../attestation/report.ts';
import type { KeyInfo, SignResponse, StoreUsage } from '../../shared/api/bodies.ts';
import { type Command, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { CLIENT_OPTIONS, NODE_OPTIONS, readIdentifier, readNodeOptions, withNode } from './connection.ts';
import { chooseAlgorithm, PAYLOAD_OPTIONS, readAlgorithm, readPayload } from './payload.ts';
import { nodeStatusSchema } from './status.ts';
import { writeOutput } from '../common/output-file.ts';
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

const sign: Command = {
  name: 'node sign',
  summary: 'Have a node sign with one of its keys, after it has proved what it is.',
  positionals: 'KEY',
  options: { ...CLIENT_OPTIONS, ...PAYLOAD_OPTIONS },
  examples: [
    `holdfast node sign ethereum-hot --digest ${'5e'.repeat(32)} ${AS_CLIENT}`,
    `holdfast node sign solana-hot --message-file transaction.bin ${AS_CLIENT} --json`,
  ],
  run: async (input) => {
    const key = readIdentifier(input.positionals[0], 'KEY');
    const payload = await readPayload(input);
    const named = readAlgorithm(input.text('algorithm'));
    return await withNode(input, async (node) => {
      const algorithm = named ?? chooseFor(await node.keys(), key, payload.kind);
      const response = await node.sign({ key, algorithm, payload });
      return { ok: true, text: describeResponse(response), data: { key, algorithm, ...response } };
    });
  },
};

export const nodeCommands: readonly Command[] = [status, attest, keys, sign];

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

function chooseFor(held: readonly KeyInfo[], id: string, kind: Parameters<typeof chooseAlgorithm>[1]) {
  const type = held.find((key) => key.id === id)?.type;
  if (type === undefined) throw new CliError('KEY_UNKNOWN', 'the node has no such key', { key: id });
  const algorithm = chooseAlgorithm(type, kind);
  if (algorithm !== undefined) return algorithm;
  throw new CliError('KEY_UNSUITABLE', 'no algorithm of this key takes such a payload', {
    key: id,
    type,
    kind,
  });
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
  const { log, receiptKey, witnesses } = binding;
  return [
    `  receipt key    ${receiptKey}`,
    `  log            ${log.origin}`,
    `  log key        ${log.key}`,
    `  witnesses      ${witnesses === null ? 'none' : `${witnesses.threshold} of ${witnesses.of}`}`,
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
      ? { receiptKey: binding.receiptKey, log: binding.log, witnesses: binding.witnesses }
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

function describeResponse({
  signature,
  recovery,
  publicKey,
  rule,
  configuration,
  inputs,
}: SignResponse): string {
  return [
    ...(inputs?.map((input) => `${input.signature}  input ${input.index}`) ?? [signature]),
    ...(recovery === undefined ? [] : [`  recovery    ${recovery}`]),
    `  public key  ${publicKey}`,
    `  allowed by  rule ${rule}, configuration ${configuration}`,
  ].join('\n');
}
