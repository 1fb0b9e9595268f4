import { describe, expect, it } from 'vitest';
import type { PeerIdentity } from '../../../enclave/peers/peer-network.ts';
import { createMayServe } from '../../../enclave/quorum/index.ts';
import { createAuthorise } from '../../../enclave/signing/authorisation.ts';
import { Accumulations, preparePolicy } from '../../../policy/index.ts';
import { Watermarks } from '../../../policy/watermarks/index.ts';
import { type Configuration, parseConfiguration } from '../../../shared/documents/configuration.ts';
import { UNLIMITED } from '../../../shared/documents/configuration/rules.ts';

const sha384 = (byte: string) => byte.repeat(48);
const peer = (node: number) => ({
  node,
  manifest: sha384(`0${node}`),
  images: [{ pcrs: { 0: sha384('a0'), 1: sha384('a1'), 2: sha384('a2') }, notAfter: null }],
});

function configure(quorum: object | undefined): Configuration {
  const any = { type: 'blind', to: null, assets: null, contracts: null, amount: null };
  const rule = {
    id: 'payouts',
    effect: 'permit',
    operations: ['sign'],
    clients: ['backend'],
    keys: ['hot', 'lone'],
    algorithms: ['ed25519'],
    payloads: ['message'],
    ...UNLIMITED,
    effects: [any],
  };
  return parseConfiguration(
    Buffer.from(
      JSON.stringify({
        format: 'holdfast-configuration/2',
        version: 1,
        manifest: '00'.repeat(48),
        notAfter: '2031-01-01T00:00:00Z',
        clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: null }],
        clientGroups: [],
        keys: ['hot', 'lone'].map((id) => ({ id, type: 'ed25519', networks: [] })),
        approvers: [],
        approverGroups: [],
        addressBooks: [],
        witnesses: null,
        ...(quorum === undefined ? {} : { quorum }),
        rules: [rule],
      }),
    ),
  );
}

/** Nodes 2 to 5 beside this one, of which some are reachable. */
const QUORUM = { peers: [2, 3, 4, 5].map(peer), servesAlone: ['lone'], refreshHours: null };
const reaching = (...nodes: number[]) => ({
  peers: [2, 3, 4, 5],
  identity: (node: number) => (nodes.includes(node) ? ({ node } as PeerIdentity) : undefined),
});

describe('a node that reaches fewer nodes than the threshold', () => {
  it.each([
    { threshold: 3, reached: [], may: false },
    { threshold: 3, reached: [4], may: false },
    { threshold: 3, reached: [2, 5], may: true },
    { threshold: 3, reached: [2, 3, 4, 5], may: true },
    { threshold: 5, reached: [2, 3, 4], may: false },
    { threshold: 1, reached: [], may: true },
  ])('of $threshold with $reached reached: serves other keys, $may', ({ threshold, reached, may }) => {
    const mayServe = createMayServe(configure(QUORUM), reaching(...reached), threshold);
    expect(mayServe('hot')).toBe(may);
    expect(mayServe('lone')).toBe(true);
  });

  it('counts itself alone where it has no network, and counts nothing where it is in no quorum', () => {
    expect(createMayServe(configure(QUORUM), undefined, 2)('hot')).toBe(false);
    expect(createMayServe(configure(undefined), undefined, 2)('hot')).toBe(true);
  });

  it('denies by a code of its own, as long as a peer is away and no longer', () => {
    const configuration = configure(QUORUM);
    const reached: number[] = [];
    const network = {
      peers: [2, 3, 4, 5],
      identity: (node: number) => (reached.includes(node) ? ({ node } as PeerIdentity) : undefined),
    };
    const authorise = createAuthorise(
      { configuration, policy: preparePolicy(configuration) },
      { now: () => Date.parse('2030-01-01T00:00:00Z'), monotonic: () => 0 },
      { accumulations: Accumulations.restore([]), watermarks: Watermarks.restore([]) },
      createMayServe(configuration, network, 2),
    );
    const request = (key: string) =>
      ({
        operation: 'sign',
        client: 'backend',
        key,
        algorithm: 'ed25519',
        payload: { kind: 'message', message: '00' },
      }) as Parameters<typeof authorise>[0];
    const denied = { outcome: 'denied', code: 'QUORUM_BELOW_THRESHOLD', rule: null };
    expect(authorise(request('hot'), undefined, undefined)).toMatchObject(denied);
    expect(authorise(request('lone'), undefined, undefined)).not.toMatchObject({ code: denied.code });
    reached.push(5);
    expect(authorise(request('hot'), undefined, undefined)).not.toMatchObject({ code: denied.code });
    reached.pop();
    expect(authorise(request('hot'), undefined, undefined)).toMatchObject(denied);
  });
});
