import { beforeAll, describe, expect, it } from 'vitest';
import { importSignatory } from '../../../admin/signatory/index.ts';
import { ACCOUNTS } from '../../policy/transactions/tezos/samples.ts';
import { OPERATIONS, writeYaml } from './generated-files.ts';
import { prepareNode } from './node-decision.ts';
import { listRequests, MAINNET_NAME, type SampleRequest } from './requests.ts';
import { startSignatory } from './signatory-model.ts';

const KEY = ACCOUNTS.ed25519.address;
const OPTIONS = {
  manifest: 'ab'.repeat(48),
  client: { id: 'tezos-door', publicKey: '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29' },
  chain: MAINNET_NAME,
  without: new Set<never>(),
};
/** Requests that a node refuses where Signatory signs: the report of the import says so. */
const STRICTER = /smart_rollup_refute|transfer_ticket|origination|on NetXnHfVqm9iesp/;

let requests: readonly SampleRequest[];
beforeAll(async () => {
  requests = (await listRequests()).filter(({ key }) => key === KEY);
});

/** Decides every request by Signatory and by the import, under one policy. */
function compare(policy: object) {
  const text = writeYaml({ tezos: { [KEY]: policy } });
  const signatory = startSignatory(text);
  const node = prepareNode(importSignatory(Buffer.from(text), OPTIONS));
  return requests.map((request) => ({ name: request.name, there: signatory(request), here: node(request) }));
}

/** Names what both sign, and asserts that they differ in nothing but what is stricter. */
function expectAlike(policy: object): string[] {
  const compared = compare(policy);
  const differing = compared.filter(({ there, here }) => there !== here);
  expect(differing.filter(({ name, here }) => here === 'signs' || !STRICTER.test(name))).toEqual([]);
  return compared.filter(({ here }) => here === 'signs').map(({ name }) => name);
}

describe('what one name of Signatory’s lists permits', () => {
  it.each(OPERATIONS)('is the same for %s, alone', (name) => {
    const signed = expectAlike({ allow: { generic: [name] } });
    const isUnsigned = /smart_rollup_refute|transfer_ticket|seed_nonce|dal_publish/.test(name);
    expect(signed.length > 0).toBe(!isUnsigned);
  });

  it.each(OPERATIONS)('is the same for %s, beside transactions and delegations', (name) => {
    for (const other of ['transaction', 'delegation'])
      expect(expectAlike({ allow: { generic: [other, name] } })).toContain(`${KEY} ${other}`);
  });

  it.each(['block', 'preattestation', 'attestation', 'attestation_with_dal'])(
    'is the same for %s, alone and in both forms',
    (kind) => {
      expect(expectAlike({ allow: { [kind]: null } })).toEqual([`${KEY} ${kind} on ${MAINNET_NAME}`]);
      expect(expectAlike({ allowed_operations: [kind] })).toEqual([`${KEY} ${kind} on ${MAINNET_NAME}`]);
    },
  );
});
