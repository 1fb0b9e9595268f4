import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Exchange } from '../../../admin/vault/exchange/index.ts';
import {
  assertSound,
  describeRoles,
  digestVault,
  parseVault,
  type Role,
} from '../../../admin/vault/index.ts';
import { openExchangeFolder } from '../../../cli/vault/exchange-folder.ts';
import { lockFolder } from '../../../cli/vault/run-lock.ts';
import { forgetfulMemory, openWorkFolder } from '../../../cli/vault/work-folder.ts';
import { ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import { PARTS } from '../../admin/vault/sample-parts.ts';
import { encodeVault, makeSampleVault, sampleKey, type SampleVault } from '../../admin/vault/sample-vault.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

let folder: string;
let keys: Map<Role, KeyObject>;
let vault: SampleVault;
const at = (name: string) => join(folder, name);
const LOST = sampleKey('lost treasury');

/** The vault as it was described, in which every role's statements can be signed. */
function describeLost(): SampleVault {
  return makeSampleVault((sample) => {
    const make = (role: Role) => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      keys.set(role, privateKey);
      return ed25519PublicKeyHex(publicKey);
    };
    sample.infrastructure['statementKey'] = make('infrastructure');
    sample.nodes.forEach((node, index) => {
      node.statementKey = make(`node-${index + 1}`);
    });
    Object.assign(sample.infrastructure.network, { clientCidr: '10.7.0.0/24', peerCidr: '10.7.1.0/24' });
    sample['domain'] = 'approve.acme.example';
    sample.parts = { ...PARTS, gateways: [{ id: 'kms', protocol: 'kms', client: 'wallet-backend' }] };
    sample.tenant.keys.push({
      id: 'other',
      type: 'frost-ed25519',
      networks: ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'],
    });
    const [first] = sample.nodes;
    if (first !== undefined)
      first.configurationAuthority = { threshold: 2, keys: [sampleKey('a'), sampleKey('b')], function: true };
  });
}

/** Opens the exchange as a role that believes what lies there, or remembers what it has seen. */
function openExchange(seen = forgetfulMemory()): Exchange {
  const bytes = readFileSync(at('vault.yaml'));
  const document = parseVault(bytes);
  return new Exchange(openExchangeFolder(at('exchange')), seen, {
    vault: digestVault(bytes),
    keys: new Map(describeRoles(document).map((one) => [one.role, one.statementKey])),
  });
}

/** Has the admin of a node state a change of the rules. */
async function state(node: number, change: number, rules: Buffer | null): Promise<void> {
  const exchange = openExchange();
  const role = `node-${node}` as const;
  const privateKey = keys.get(role);
  if (privateKey === undefined) throw new TypeError('expected a role of the test');
  await exchange.publish(
    { role, step: 'change-configuration' },
    {
      facts: {
        change,
        rules: rules === null ? null : digestVault(rules),
        configuration: 'c'.repeat(96),
        version: change + 3,
      },
      files: rules === null ? [] : [{ name: 'rules.yaml', bytes: rules }],
    },
    {
      privateKey,
      time: '2027-01-01T00:00:00Z',
      base: (await exchange.statement(role, 'change-configuration'))?.sequence ?? 0,
    },
  );
}

/** Has a role's machine see what has been stated, as each of its runs does. */
async function see(role: Role, ...nodes: readonly number[]): Promise<void> {
  mkdirSync(at(`work/${role}`), { recursive: true });
  const { seen } = await openWorkFolder(at(`work/${role}`), digestVault(readFileSync(at('vault.yaml'))));
  const exchange = openExchange(seen);
  for (const node of nodes) await exchange.statement(`node-${node}`, 'change-configuration');
}

/** The description with a client more, as somebody changes a copy of vault.yaml. */
function withClient(id: string): Buffer {
  const copy = structuredClone(vault);
  copy.clients.push({ id, publicKey: sampleKey(id), person: null });
  return encodeVault(copy);
}

const init = async (...more: string[]) =>
  await runHoldfast([
    'vault',
    'init',
    '--vault',
    at('new.yaml'),
    '--like',
    at('vault.yaml'),
    '--namespace',
    'acme',
    '--environment',
    'production-2',
    '--region',
    'eu-central-1',
    '--recover',
    `treasury:frost-ed25519:${LOST}`,
    ...more,
  ]);
const written = () => parseVault(readFileSync(at('new.yaml')));

beforeEach(() => {
  folder = temporaryFolder();
  keys = new Map();
  vault = describeLost();
  writeFileSync(at('vault.yaml'), JSON.stringify(vault));
});

describe('holdfast vault init of a vault like a lost one', () => {
  it('takes over all but accounts, people of AWS and keys of roles, and pins the lost key', async () => {
    const { exit, out } = await init();
    expect([exit, out]).toEqual([0, expect.stringContaining('are those of')]);
    const [before, after] = [parseVault(readFileSync(at('vault.yaml'))), written()];
    const { keys: keysBefore, ...tenantBefore } = before.tenant;
    const { keys: keysAfter, ...tenantAfter } = after.tenant;
    expect(after).toMatchObject({
      environment: 'production-2',
      domain: 'approve.acme.example',
      threshold: before.threshold,
      release: before.release,
      clients: before.clients,
      parts: before.parts,
    });
    expect(after.infrastructure).toMatchObject({
      network: before.infrastructure.network,
      host: before.infrastructure.host,
    });
    expect(tenantAfter).toEqual(tenantBefore);
    expect(keysAfter).toEqual([{ ...keysBefore[0], publicKey: LOST }, keysBefore[1]]);
    expect(after.nodes.map(({ account }) => account)).toEqual(Array(3).fill('0'.repeat(12)));
    // Where two had to sign, the check asks for the second key.
    expect(after.nodes[0]?.configurationAuthority).toMatchObject({ threshold: 2, function: true });
    expect(() => assertSound(after, Date.now())).toThrow(expect.objectContaining({ code: 'VAULT_UNSOUND' }));
  });

  it('takes the newest rules that were signed, and not those of vault.yaml', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    await state(2, 1, withClient('desk'));
    await state(1, 2, withClient('newest'));
    const { out } = await init();
    expect(out).toContain('are those of change 2, the newest that was stated, by the admins of node 1\n');
    expect(written().clients.map(({ id }) => id)).toEqual(['wallet-backend', 'operations', 'newest']);
  });

  it('takes over no rules that one admin has numbered far ahead of all others', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    await state(2, 1, withClient('desk'));
    await state(3, 1_000, withClient('leap'));
    expect((await init()).out).toContain(
      'change 1, the newest that was stated, by the admins of node 1, node 2',
    );
    expect(written().clients.map(({ id }) => id)).toEqual(['wallet-backend', 'operations', 'desk']);
  });

  it('says which node has rules that no description tells', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    await state(3, 2, null);
    expect((await init()).out).toMatch(/change 1, [^]*node 3 had a configuration .* past every description/);
  });

  it('believes no description that nobody has signed, or that is of another vault', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    const place = at('exchange/node-1/change-configuration');
    const [name = ''] = readdirSync(place);
    writeFileSync(join(place, name), withClient('mallory'));
    expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'STATEMENT_FILE_CHANGED' });
    writeFileSync(join(place, name), withClient('desk'));
    await state(2, 2, encodeVault({ ...vault, threshold: 3 }));
    expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'VAULT_RULES_OTHER_VAULT' });
  });

  it('takes a file as it is that the statements are not about, and says so', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    writeFileSync(at('vault.yaml'), withClient('desk'));
    expect((await init()).out).toMatch(/is about another file/);
    expect(written().clients.map(({ id }) => id)).toContain('desk');
  });

  it('refuses a statement that somebody has left in place of those of this vault', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    const before = readFileSync(at('vault.yaml'));
    writeFileSync(at('vault.yaml'), withClient('draft'));
    await state(2, 1, withClient('draft'));
    writeFileSync(at('vault.yaml'), before);
    expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'STATEMENT_OTHER_VAULT' });
    // All that this machine has seen of this vault is gone: that is no exchange of another file either.
    await see('infrastructure', 1);
    rmSync(at('exchange/node-1'), { recursive: true });
    expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'STATEMENT_OLDER' });
  });

  it.each(['infrastructure', 'node-2'] as const)(
    'refuses a folder that was rolled back, where %s has seen a newer one, and writes nothing there',
    async (role) => {
      mkdirSync(at('exchange'));
      await state(1, 1, withClient('desk'));
      cpSync(at('exchange'), at('older'), { recursive: true });
      await state(1, 2, withClient('newest'));
      await see('node-3');
      await see(role, 1);
      const journal = readFileSync(at(`work/${role}/journal.json`), 'utf8');
      // A run that goes on at the same time keeps nobody from reading.
      using _run = lockFolder(at(`work/${role}`));
      const done = await init();
      expect([done.exit, done.out]).toEqual([0, expect.stringContaining('are those of change 2')]);
      expect(done.out).not.toContain('remembers');
      rmSync(at('new.yaml'));
      rmSync(at('exchange'), { recursive: true });
      expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'STATEMENT_OLDER' });
      cpSync(at('older'), at('exchange'), { recursive: true });
      expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'STATEMENT_OLDER' });
      expect(readFileSync(at(`work/${role}/journal.json`), 'utf8')).toBe(journal);
      expect(readdirSync(at('work/node-3'))).toEqual([]);
    },
  );

  it('says that a machine which has seen nothing cannot tell an older folder', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('desk'));
    expect((await init()).out).toMatch(/remembers no statement/);
  });

  it('refuses two descriptions of one change, and takes the one that as many admins as the threshold have stated', async () => {
    mkdirSync(at('exchange'));
    await state(1, 1, withClient('mallory'));
    await state(3, 1, withClient('desk'));
    expect(refusalIn(await init('--json'))).toMatchObject({
      exit: 1,
      code: 'VAULT_CHANGE_DIFFERS',
      details: {
        change: 1,
        stated: [
          { node: 1, rules: digestVault(withClient('mallory')) },
          { node: 3, rules: digestVault(withClient('desk')) },
        ],
      },
    });
    await state(2, 1, withClient('desk'));
    expect((await init()).out).toContain(
      'change 1, the newest that was stated, by the admins of node 2, node 3',
    );
    expect(written().clients.map(({ id }) => id)).toContain('desk');
  });

  it('refuses what is no description', async () => {
    writeFileSync(at('vault.yaml'), 'x');
    expect(refusalIn(await init('--json'))).toMatchObject({ exit: 1, code: 'VAULT_MALFORMED' });
  });
});
