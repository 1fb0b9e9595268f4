import { createPublicKey, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlayedRole, type VaultTestbed } from '../../../local/testbed/vault/index.ts';
import { openTestbed } from './support/open-testbed.ts';

/** Two nodes are enough for each to need the other, and take less than three. */
const NODES = ['node-1', 'node-2'] as const satisfies readonly PlayedRole[];
const ROLES = ['infrastructure', ...NODES] as const;
/** Commands that each of a vault's people may need; `vault join`, by which each begins, is one more of a node's admin. */
const MAX_COMMANDS = 7;
/** Cosignatures that a node's log needs beside its own signature. */
const THRESHOLD = 1;

const ROUNDS: readonly (readonly PlayedRole[])[] = [
  ['infrastructure', ...NODES],
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
  NODES,
  NODES,
  ['infrastructure'],
];

let testbed: VaultTestbed;
beforeAll(async () => {
  testbed = await openTestbed({
    accounts: ['444455556666', '111111111111', '222222222222'],
    change: (vault) => {
      vault.parts['peerWitnesses'] = { threshold: THRESHOLD, maxUncosignedSeconds: 0 };
    },
  });
});
afterAll(async () => {
  await testbed.close();
});

async function together(roles: readonly PlayedRole[], act: (role: PlayedRole) => Promise<unknown>) {
  await Promise.all(roles.map(act));
}

/** File of a node's step, as the exchange has it. */
async function fileOf(node: PlayedRole, step: string): Promise<string> {
  const found = (await testbed.listExchangedFiles()).filter((file) => file.includes(`/${node}/${step}/`));
  return found[0] ?? '';
}

const MESSAGE = Buffer.from('cosigned by the others');

describe('a vault whose nodes cosign the logs of each other', { timeout: 1_800_000 }, () => {
  it('is led there by a ceremony of at most seven commands a person', async () => {
    await together(ROLES, async (role) => {
      expect(await testbed.person(role).run('vault', 'fetch', '--vault', 'vault.yaml')).toMatchObject({
        exit: 0,
      });
    });
    for (const roles of ROUNDS) {
      await together(roles, async (role) => {
        const { exit, said, stderr } = await testbed.apply(role);
        expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${testbed.log()}`).toBe(0);
      });
    }
    for (const role of ROLES) {
      const begun = role === 'infrastructure' ? 2 : 1;
      expect([role, begun + testbed.person(role).commands <= MAX_COMMANDS]).toEqual([role, true]);
    }
    const status = await testbed.person('node-2').run('vault', 'status');
    expect(status).toMatchObject({ exit: 0, said: { isComplete: true } });
  });

  it('has the receipt of a signature cosigned by the other node', async () => {
    const owner = await testbed.client('operations');
    expect(await owner('quorum', 'keys', 'generate', 'treasury')).toMatchObject({ exit: 0 });
    const backend = await testbed.client('wallet-backend');
    const signed = await backend('quorum', 'sign', 'treasury', '--message', MESSAGE.toString('hex'));
    expect(signed).toMatchObject({ exit: 0 });
    const { signature, publicKey, receipt } = signed.said as unknown as {
      signature: string;
      publicKey: string;
      receipt: unknown;
    };
    const x = Buffer.from(publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, MESSAGE, key, Buffer.from(signature, 'hex'))).toBe(true);

    const person = testbed.person('node-2');
    const profile = join(testbed.exchange, '..', 'client-wallet-backend', 'node-1.yaml');
    const [file, document] = [join(person.folder, 'receipt.json'), join(person.folder, 'node-1.attestation')];
    await writeFile(file, JSON.stringify(receipt));
    const attested = await person.run('node', 'attest', '--profile', profile, '--output', document);
    expect(attested).toMatchObject({ exit: 0 });
    // By its configuration a receipt has to have the cosignatures of peers.
    const trust = [
      '--pcrs',
      testbed.pcrFile,
      '--manifest',
      await fileOf('node-1', 'manifest'),
      '--root',
      testbed.rootFile,
    ];
    const configuration = await fileOf('node-1', 'final-configuration');
    const verified = await person.run(
      'receipt',
      'verify',
      file,
      ...trust,
      '--document',
      document,
      '--configuration',
      configuration,
      '--in-log',
    );
    expect(verified).toMatchObject({ exit: 0, said: { verified: true } });
    const { entry } = verified.said as unknown as {
      entry: { predicate: { peerWitnesses: { threshold: number; of: number } } };
    };
    expect(entry.predicate.peerWitnesses).toMatchObject({ threshold: THRESHOLD, of: 1 });
  });
});
