/**
 * Cost of one signature by itself: each algorithm, each step of a request, in one thread without a network.
 *
 * node bench/signing.ts [--seconds N] [--json]
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { dealShares, sealShare } from '../client/index.ts';
import { decodeShareRecord, generateImportKey, holdCurrent, openShare } from '../enclave/frost/index.ts';
import { generateKey, type SoleKeyType } from '../enclave/keys/index.ts';
import { type SigningInput, toSigningInput } from '../policy/transactions/index.ts';
import { openLocalCurves } from '../local/noble-curves.ts';
import { createPolicyState, decide, preparePolicy } from '../policy/index.ts';
import { ReplayCache, signRequest, verifyRequestSignature } from '../shared/http-signature/index.ts';
import type { Algorithm, ShareType } from '../shared/algorithms.ts';
import type { BlindPayload } from '../shared/api/bodies.ts';
import { readConfiguration } from '../shared/documents/configuration.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } },
});
const MEASURED_MS = Number(values.seconds) * 1000;
const WARM_UP_MS = MEASURED_MS / 4;

function runFor(milliseconds: number, act: () => unknown): number {
  const start = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    act();
    count += 1;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (count / elapsed) * 1000;
}

const rates: Record<string, number> = {};
function measure(name: string, act: () => unknown): void {
  runFor(WARM_UP_MS, act);
  const rate = runFor(MEASURED_MS, act);
  rates[name] = Math.round(rate);
  if (!values.json)
    console.log(`${name.padEnd(44)} ${Math.round(rate).toLocaleString('en').padStart(10)} /s`);
}

const message = randomBytes(200);
const digest = randomBytes(32);
const SIGNATURES: readonly [SoleKeyType, Algorithm, SigningInput][] = [
  ['ed25519', 'ed25519', { kind: 'message', message }],
  ['p256', 'ecdsa-p256-sha256', { kind: 'message', message }],
  ['p256', 'ecdsa-p256-sha256', { kind: 'digest', digest }],
  ['secp256k1', 'ecdsa-secp256k1', { kind: 'digest', digest }],
  ['secp256k1', 'bip340', { kind: 'digest', digest }],
  ['secp256k1', 'bip340', { kind: 'taproot-sighash', digest, merkleRoot: new Uint8Array(0) }],
];
for (const [type, algorithm, payload] of SIGNATURES) {
  const key = generateKey(openLocalCurves(), type);
  measure(`sign ${algorithm}, ${payload.kind}`, () => key.sign({ algorithm, payload }));
}

function measureFrost(type: ShareType, payload: BlindPayload): void {
  const { group, shares } = dealShares({ type, threshold: 2, participants: 3 });
  const importKey = generateImportKey();
  const destination = { manifest: randomBytes(48), session: '5e'.repeat(16), key: 'shared' };
  const [first, second] = shares.map((share) => {
    const request = sealShare(group, share, importKey.publicKey, destination);
    const expected = { type, participant: share.participant, threshold: 2, participants: 3 };
    return { request, expected, held: openShare(request, importKey, destination, expected) };
  });
  if (first === undefined || second === undefined) throw new RangeError('expected two shares of a group');
  const serialised = first.held.serialise();
  const theirs = second.held.commit().commitments;
  measure(`${type}, import`, () => openShare(first.request, importKey, destination, first.expected));
  measure(`${type}, restore from the store`, () => holdCurrent(decodeShareRecord(type, serialised)));
  measure(`${type}, round one`, () => first.held.commit());
  const input = toSigningInput(payload);
  measure(`${type}, both rounds`, () => {
    const nonces = first.held.commit();
    const round = { nonces, commitments: [nonces.commitments, theirs] };
    first.held.sign({ algorithm: type, payload: input, round });
  });
}
measureFrost('frost-ed25519', { kind: 'message', message: message.toString('hex') });
measureFrost('frost-secp256k1-taproot', { kind: 'digest', digest: digest.toString('hex') });

const client = generateKeyPairSync('ed25519');
const session = '5e'.repeat(16);
const body = {
  bytes: Buffer.from(JSON.stringify({ message: message.toString('hex') })),
  contentType: 'application/json',
};
const makeRequest = () => {
  const signer = { clientId: 'backend', privateKey: client.privateKey, session, now: Date.now() };
  const fields = signRequest({ method: 'POST', target: '/v1/sign', body }, signer);
  return { method: 'POST', target: '/v1/sign', rawHeaders: Object.entries(fields).flat(), body: body.bytes };
};
measure('request, signed by the client', makeRequest);
const request = makeRequest();
measure('request, verified by the node', () =>
  verifyRequestSignature(request, {
    findKey: () => client.publicKey,
    session,
    now: Date.now(),
    // A new cache each time lets the same request be verified over and over.
    replay: new ReplayCache(),
  }),
);

const configuration = readConfiguration({
  format: 'holdfast-configuration/1',
  version: 1,
  manifest: '00'.repeat(48),
  clients: [{ id: 'backend', publicKey: '01'.repeat(32) }],
  keys: [{ id: 'hot', type: 'ed25519' }],
  rules: Array.from({ length: 64 }, (_, index) => ({
    id: `rule-${index}`,
    operations: ['sign'],
    clients: ['backend'],
    keys: ['hot'],
    algorithms: ['ed25519'],
    payloads: [index === 63 ? 'message' : 'digest'],
    rate: { count: 1_000_000, seconds: 1 },
  })),
});
const policy = preparePolicy(configuration);
const state = createPolicyState(policy, 0);
let now = 0;
measure('decision, the last of 64 rules', () => {
  now += 1;
  return decide(
    policy,
    { operation: 'sign', client: 'backend', key: 'hot', algorithm: 'ed25519', payload: 'message' },
    state,
    { now, monotonic: now },
  );
});
if (values.json) console.log(JSON.stringify(rates, undefined, 2));
