import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinRecoveryKey, parseCustodians } from '../../admin/recovery/index.ts';
import { copyProgram, type Program } from '../../local/nitro-host/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { NodeClient } from '../../client/index.ts';
import { SUPPLIER } from '../../local/testbed/decision-configuration.ts';
import { makeTransfer } from '../../local/testbed/ethereum-transfer.ts';
import { errorCode } from '../../shared/errors.ts';
import { type KnownKey, listWholeKeys, makePoolKeys } from './support/recovered-keys.ts';
import {
  makeCustodians,
  type People,
  POOL,
  UNCOVERED,
  Vault,
  verifies,
  WHOLE,
} from './support/recovery-tools.ts';

const KEY = 'treasury';

async function codeOf(asked: Promise<unknown>): Promise<string> {
  return await asked.then(() => 'TAKEN', errorCode);
}

/** Pays so many wei to a supplier; the code of the refusal, or TAKEN. */
async function pay(client: NodeClient, wei: bigint, nonce: bigint): Promise<string> {
  return await codeOf(client.sign(makeTransfer('ethereum-hot', SUPPLIER.address, wei, nonce).request));
}

/** Signs with the first of the pool's keys. */
async function signInPool(client: NodeClient, [first]: readonly (KnownKey | undefined)[]): Promise<string> {
  const payload = { kind: 'message', message: '00' } as const;
  return await codeOf(client.sign({ key: first?.id ?? '', algorithm: 'ed25519', payload }));
}

describe('the recovery of a vault whose nodes are all lost', { timeout: 300_000 }, () => {
  const folder = temporaryFolder();
  let program: Program;
  let people: People;
  let vault: Vault;
  let successor: Vault | undefined;
  let publicKey = '';
  const first = new Map<number, string>();
  const second = new Map<number, string>();
  let client: NodeClient;
  let poolKeys: KnownKey[] = [];
  let wholeKeys: KnownKey[] = [];
  let wholeBackups: string[] = [];

  beforeAll(async () => {
    program = await copyProgram();
    people = await makeCustodians(join(folder, 'people'));
    vault = await Vault.open(join(folder, 'vault'), { program, people, namespace: 'acme' });
    await vault.start();
    publicKey = await vault.generate(KEY);
  }, 300_000);

  afterAll(async () => {
    client.close();
    await successor?.close();
    await vault.close();
    await program.remove();
  });

  it('signs nothing that nobody can count before a backup is kept', async () => {
    expect(await vault.sign(KEY)).toBe('BACKUP_MISSING');
    expect(await vault.cli(1, ['ers', 'status'])).toMatchObject({ exit: 1, code: 'BACKUP_MISSING' });
  });

  it('backs up each share with a proof, which alone is not enough to sign', async () => {
    for (const node of [1, 2, 3]) first.set(node, await vault.backUp(node, KEY, join(folder, 'first')));
    expect(await vault.verifyBackups([...first.values()])).toMatchObject({
      exit: 0,
      said: {
        coverage: {
          epochs: [{ key: KEY, epoch: 1, participants: [1, 2, 3], isRecoverable: true, publicKey }],
        },
      },
    });
    expect(await vault.sign(KEY)).toBe('BACKUP_MISSING');
  });

  it('takes the word of a keeper, and of nobody else', async () => {
    expect(await vault.acknowledge(1, first.get(1) ?? '', people.stranger)).toBe('ACKNOWLEDGEMENT_INVALID');
    expect(await vault.acknowledge(2, first.get(1) ?? '', people.keeper)).toBe('ACKNOWLEDGEMENT_UNKNOWN');
    expect(await vault.acknowledge(1, first.get(1) ?? '', people.keeper)).toBe('TAKEN');
    expect(await vault.acknowledge(2, first.get(2) ?? '', people.keeper)).toBe('TAKEN');
    expect(verifies(await vault.sign(KEY), publicKey)).toBe(true);
  });

  it('remembers over a restart what is kept', async () => {
    await vault.restart(1);
    expect(verifies(await vault.sign(KEY), publicKey)).toBe(true);
  });

  it('has a key without a backup move little, and a key of a pool nothing that nobody can count', async () => {
    client = await vault.connectFirst();
    poolKeys = await makePoolKeys(client, POOL);
    expect(await pay(client, UNCOVERED, 0n)).toBe('TAKEN');
    expect(await pay(client, 1n, 1n)).toBe('BACKUP_MISSING');
    expect(await signInPool(client, poolKeys)).toBe('BACKUP_MISSING');
  });

  it('backs up every whole key and a pool, and counts them once a keeper has said so', async () => {
    const wanted = [...WHOLE, POOL];
    const made = await vault.cli(1, ['ers', 'backup', ...wanted, '--output', join(folder, 'whole')]);
    wholeBackups = (made.said['backups'] as { path: string }[]).map(({ path }) => path);
    wholeKeys = [...(await listWholeKeys(client, WHOLE)), ...poolKeys];
    const { said } = await vault.verifyBackups(wholeBackups);
    const { whole } = (said as { coverage: { whole: { key: string; type: string }[] } }).coverage;
    expect(whole.map(({ key, type }) => `${key} ${type}`).toSorted()).toEqual(
      wholeKeys.map(({ id, type }) => `${id} ${type}`).toSorted(),
    );
    for (const path of wholeBackups) expect(await vault.acknowledge(1, path, people.keeper)).toBe('TAKEN');
    expect(await pay(client, 5n * UNCOVERED, 1n)).toBe('TAKEN');
    expect(await signInPool(client, poolKeys)).toBe('TAKEN');
  });

  it('counts a backup of a pool for the keys that were in it, and not for one that is newer', async () => {
    const [newest] = await makePoolKeys(client, POOL, ['ed25519']);
    expect(await signInPool(client, [newest])).toBe('BACKUP_MISSING');
    expect(await signInPool(client, poolKeys)).toBe('TAKEN');
    const { said } = await vault.cli(1, ['ers', 'status']);
    expect(said['keys']).toContainEqual(expect.objectContaining({ key: POOL, state: 'outdated' }));
  });

  it('proves every key that can sign in a drill, and says that the others were read', async () => {
    const record = join(folder, 'whole-drill.json');
    const { said } = await vault.drill(wholeBackups, people, record);
    const proven = (said as { proven: { key: string; publicKey: string | null }[] }).proven;
    expect(new Map(proven.map(({ key, publicKey }) => [key, publicKey]))).toEqual(
      new Map(wholeKeys.map(({ id, publicKey }) => [id, publicKey])),
    );
    expect(await vault.verifyDrill(record, people.leader.publicKey)).toMatchObject({ exit: 0 });
  });

  it('recovers every one of them, which OpenSSL and what the node has done with them confirm', async () => {
    for (const { id, type, isIn } of wholeKeys) {
      const output = join(folder, `${id}.recovered`);
      expect(await vault.recover(id, wholeBackups, people.words.slice(0, 2), ['--output', output])).toBe(
        'TAKEN',
      );
      expect([type, isIn(output)]).toEqual([type, true]);
      expect(statSync(output).mode & 0o777).toBe(0o600);
    }
  });

  it('tells a backup of a superseded epoch as such, and stops counting it', async () => {
    await vault.refresh(KEY);
    expect(await vault.sign(KEY)).toBe('BACKUP_OUTDATED');
    // The first node lacks a backup of its newer pool keys and of its epoch, the third one ever had none.
    const alerts = async () => [await vault.readAlerts(1), await vault.readAlerts(3)];
    await expect.poll(alerts, { interval: 500 }).toEqual([
      { code: 'BACKUP_OUTDATED', raised: ['BACKUP_OUTDATED'] },
      { code: 'BACKUP_MISSING', raised: ['BACKUP_MISSING'] },
    ]);
    for (const node of [1, 2, 3]) {
      second.set(node, await vault.backUp(node, KEY, join(folder, 'second')));
      expect(await vault.acknowledge(node, second.get(node) ?? '', people.keeper)).toBe('TAKEN');
    }
    expect(verifies(await vault.sign(KEY), publicKey)).toBe(true);
    const all = await vault.verifyBackups([...first.values(), ...second.values()]);
    expect(all.said).toMatchObject({
      coverage: {
        epochs: [
          { epoch: 1, isSuperseded: true },
          { epoch: 2, isSuperseded: false },
        ],
      },
    });
  });

  it('refuses mixed epochs, too few backups, altered files and too few custodians', async () => {
    const recover = (backups: readonly string[], shares = people.words.slice(0, 2)) =>
      vault.recover(KEY, backups, shares, ['--output', join(folder, 'never.key')]);
    const of = (backups: ReadonlyMap<number, string>, node: number) => backups.get(node) ?? '';
    expect(await recover([of(first, 1), of(second, 2)])).toBe('BACKUP_EPOCHS_MIXED');
    expect(await recover([of(second, 2)])).toBe('BACKUP_SHARES_TOO_FEW');
    expect(await recover([of(second, 1), of(second, 2)], people.words.slice(0, 1))).toBe(
      'CUSTODIANS_TOO_FEW',
    );
    const altered = join(folder, 'altered.json');
    const backup = JSON.parse(readFileSync(of(second, 1), 'utf8')) as { ciphertexts: string[] };
    const bytes = Buffer.from(backup.ciphertexts[0] ?? '', 'base64');
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(altered, JSON.stringify({ ...backup, ciphertexts: [bytes.toString('base64')] }));
    expect(await recover([altered, of(second, 2)])).toBe('BACKUP_ALTERED');
  });

  it('proves the recovery in a drill, whose record an auditor verifies', async () => {
    const record = join(folder, 'drill.json');
    const held = await vault.drill([...second.values()], people, record);
    expect(held).toMatchObject({ exit: 0 });
    expect(readFileSync(record, 'utf8')).not.toContain(people.text[0] ?? 'never');
    expect(await vault.verifyDrill(record, people.leader.publicKey)).toMatchObject({
      exit: 0,
      said: { drills: [{ drill: { proven: [{ key: KEY, epoch: 2, publicKey }] } }] },
    });
    const stranger = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
    const other = Buffer.from(stranger, 'base64url').toString('hex');
    expect(await vault.verifyDrill(record, other)).toMatchObject({ exit: 1, code: 'DSSE_UNDER_SIGNED' });
  });

  it('brings the key to a new quorum in other accounts after the loss of all nodes', async () => {
    await vault.loseEverything();
    successor = await Vault.open(join(folder, 'successor'), { program, people, namespace: 'acme-2' });
    await successor.start();
    const file = join(folder, 'treasury.import');
    const target = successor;
    const recover = async (authority?: string) =>
      await vault.recover(KEY, [second.get(1) ?? '', second.get(3) ?? ''], people.words.slice(1), [
        ...target.importOptions(await target.attest(1, join(folder, 'new.attestation')), authority),
        '--output',
        file,
      ]);
    // Somebody's own node, of the genuine image, attests just as well: its authorities are not those that were read out.
    expect(await recover(people.stranger.publicKey)).toBe('IMPORT_TARGET_UNKNOWN');
    expect(await recover()).toBe('TAKEN');
    expect(readFileSync(file, 'utf8')).not.toMatch(/share|secret/i);
    const bring = async () => await target.cli(1, ['quorum', 'keys', 'import', file]);
    await target.restart(1);
    expect(await bring()).toMatchObject({ exit: 1, code: 'SHARE_UNREADABLE' });
    expect(await recover()).toBe('TAKEN');
    expect(await bring()).toMatchObject({ exit: 0, said: { ceremony: { publicKey, state: 'done' } } });
    // A second recovery of the key changes nothing of what the first has brought.
    expect(await recover()).toBe('TAKEN');
    expect((await bring()).exit).toBe(1);
    for (const node of [1, 2, 3]) {
      const backup = await successor.backUp(node, KEY, join(folder, 'third'));
      expect(await successor.acknowledge(node, backup, people.keeper)).toBe('TAKEN');
    }
    expect(verifies(await successor.sign(KEY), publicKey)).toBe(true);
  });

  it('has OpenSSL open the share of a custodian with an RSA key', () => {
    const opened = execFileSync('openssl', [
      'pkeyutl',
      '-decrypt',
      '-inkey',
      people.rsaKey,
      '-in',
      people.rsaShare,
      '-pkeyopt',
      'rsa_padding_mode:oaep',
      '-pkeyopt',
      'rsa_oaep_md:sha256',
    ]).toString();
    const { publicKey: recoveryKey } = parseCustodians(readFileSync(people.custodians));
    expect(joinRecoveryKey([people.text[0] ?? '', opened], recoveryKey).type).toBe('private');
  });
});
