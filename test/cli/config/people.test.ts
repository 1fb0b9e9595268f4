import { describe, expect, it } from 'vitest';
import { CAROL, ETHER, makeConfiguration2, MAINNET, permit } from '../../shared/documents/sample-rules.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { vkeyOfType } from '../../enclave/log/fixtures.ts';
import { makeFolder, makeKey, makeManifest } from '../node-files.ts';

const AUTHORITY = makeKey();
const { text: manifest, digest } = makeManifest([AUTHORITY.publicKey]);
const WITNESS = 'witness.example/w1+dace1a7f+BFzjW8iz0KEurnwcla0BVc2P4F1oyQjfKO6JP1/BU4cy';

/** Signs a configuration of format 2 with these members, and returns the command's words. */
async function sign(members: object, ...options: readonly string[]) {
  const folder = makeFolder();
  const configuration = { ...makeConfiguration2(), manifest: digest, ...members };
  return runHoldfast([
    'config',
    'sign',
    folder.write('configuration.json', JSON.stringify(configuration)),
    '--key',
    folder.write('authority.pem', AUTHORITY.pem, 0o600),
    '--manifest',
    folder.write('manifest.json', manifest),
    '--output',
    folder.at('signed.json'),
    ...options,
  ]);
}

const WITNESS_2 = { publicKey: new Uint8Array(32).fill(9) };

describe('holdfast config sign, of format 2', () => {
  it('lints what it signs, and signs errors only where somebody says so', async () => {
    const unsound = {
      threshold: 1,
      keys: [WITNESS, vkeyOfType('witness.example/w2', 4, WITNESS_2)],
      maxUncosignedSeconds: 0,
    };
    const refused = await sign({ witnesses: unsound }, '--json');
    expect(refused.exit).toBe(1);
    expect(refusalIn(refused)).toMatchObject({
      code: 'CONFIGURATION_LINTED',
      details: { codes: ['WITNESSES_UNSOUND'] },
    });
    const taken = await sign({ witnesses: unsound }, '--with-errors', '--yes');
    expect(taken.exit).toBe(0);
    expect(taken.out).toContain('error   WITNESSES_UNSOUND (witnesses)');
    const warned = await sign({ witnesses: null }, '--yes');
    expect(warned.exit).toBe(0);
    expect(warned.out).toContain('warning WITNESSES_NONE (witnesses)');
  });

  it('shows whoever signs who may approve, by which keys, who is paid, and whose cosignatures count', async () => {
    const passkey = {
      type: 'passkey',
      algorithm: 'EdDSA',
      credentialId: 'Y3JlZGVudGlhbA',
      publicKey: 'cd'.repeat(32),
      relyingParty: 'approve.example',
      origins: ['https://approve.example'],
    };
    const { exit, out } = await sign(
      {
        clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: 'ann' }],
        clientGroups: [{ id: 'wallets', clients: ['backend'] }],
        keys: [{ id: 'hot', type: 'secp256k1', networks: [MAINNET] }],
        approvers: [
          { id: 'ann', credentials: [{ type: 'ed25519', publicKey: 'ab'.repeat(32) }] },
          { id: 'bob', credentials: [passkey] },
        ],
        approverGroups: [{ id: 'treasury', approvers: ['ann', 'bob'] }],
        addressBooks: [{ id: 'suppliers', network: MAINNET, entries: [{ label: 'Carol', address: CAROL }] }],
        witnesses: { threshold: 1, keys: [WITNESS], maxUncosignedSeconds: 60 },
        rules: [
          permit({
            fee: { asset: ETHER, max: '70000000000000000', maxShareBasisPoints: 25 },
            limits: [
              {
                id: 'daily',
                asset: ETHER,
                max: '300000000000000000000',
                seconds: 86_400,
                per: 'key',
                fees: true,
              },
            ],
          }),
        ],
      },
      '--yes',
    );
    expect(exit).toBe(0);
    for (const part of [
      'ann stands behind it',
      'wallets: backend',
      `hot: secp256k1, on ${MAINNET}`,
      `ann: ed25519 ${'ab'.repeat(32)}`,
      `bob: passkey EdDSA ${'cd'.repeat(32)} Y3JlZGVudGlhbA of approve.example at https://approve.example`,
      'treasury: ann, bob',
      'address book suppliers of eip155:1',
      `${CAROL}  Carol`,
      '1 of 1 must cosign',
      'on for 60 s',
      WITNESS,
      'fee at most 0.07 ETH and 25 basis points',
      '300 ETH with fees in 86400 s',
    ]) {
      expect(out).toContain(part);
    }
  });

  it('says that a log without witnesses leaves a rollback open', async () => {
    const { out } = await sign({ witnesses: null }, '--yes');
    expect(out).toContain('witnesses none');
  });

  it.each([
    ['an id that is not of this name and key', WITNESS.replace('dace1a7f', 'dace1a70')],
    ["a log's key", 'node1.enclave.example/audit+3f5a2e59+AefACK+VuezI+Ka4LG1B/uBy96mChtTAJdSF2lYAULTW'],
  ])('refuses a witness with which no node starts: %s', async (_, key) => {
    const run = await sign({ witnesses: { threshold: 1, keys: [key], maxUncosignedSeconds: 0 } }, '--json');
    expect(run.exit).toBe(1);
    expect(refusalIn(run)).toMatchObject({
      code: 'CONFIGURATION_MALFORMED',
      details: { field: 'witnesses.keys.0' },
    });
  });

  it.each(['log', 'witness'] as const)('refuses a peer with a %s key of the other type', async (member) => {
    const peer = {
      node: 2,
      manifest: '02'.repeat(48),
      images: [{ pcrs: { 0: 'aa'.repeat(48), 1: 'bb'.repeat(48), 2: 'cc'.repeat(48) }, notAfter: null }],
      log: vkeyOfType('node-2/log', member === 'log' ? 4 : 1, WITNESS_2),
      witness: vkeyOfType('node-2/witness', 4, { publicKey: new Uint8Array(32).fill(8) }),
      ...(member === 'witness'
        ? { witness: vkeyOfType('node-2/witness', 1, { publicKey: new Uint8Array(32).fill(8) }) }
        : {}),
    };
    const run = await sign({ quorum: { peers: [peer], servesAlone: [], refreshHours: null } }, '--json');
    expect(run.exit).toBe(1);
    expect(refusalIn(run)).toMatchObject({
      code: 'CONFIGURATION_MALFORMED',
      details: { field: `quorum.peers.0.${member}` },
    });
  });
});
