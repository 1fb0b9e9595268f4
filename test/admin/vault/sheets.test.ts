import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  deriveRunSheet,
  MAX_COMMANDS,
  renderVaultFiles,
  type Role,
  rolesOf,
  sheetRolesOf,
  type VaultDocument,
} from '../../../admin/vault/index.ts';
import { stepsOf } from '../../../admin/vault/steps/index.ts';
import { listTargets } from '../../../admin/vault/sheets/makefile.ts';
import { renderMarkdown } from '../../../admin/vault/sheets/markdown.ts';
import { type Command, UsageError } from '../../../cli/common/command.ts';
import type { ResolvedProfile } from '../../../cli/common/resolved-profile.ts';
import { nouns } from '../../../cli/nouns.ts';
import { parseInput } from '../../../cli/run.ts';
import { collectOutput } from '../../support/collect-output.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { CA_PEM, PARTS } from './sample-parts.ts';
import { parseSample, sampleKey } from './sample-vault.ts';

const { document } = parseSample((vault) => {
  vault.clients.push({ id: 'kms-door', publicKey: sampleKey('kms-door'), person: null });
  vault.parts['gateways'] = [{ id: 'kms', protocol: 'kms', client: 'kms-door' }];
});
const files = renderVaultFiles(document);
const roles = rolesOf(document);

/** What a role does in the ceremony, the first of its procedures. */
function ceremonyOf(vault: VaultDocument, role: string) {
  const [ceremony] = deriveRunSheet(vault, role).procedures;
  if (ceremony?.name !== 'ceremony') throw new Error('expected the ceremony first');
  return ceremony;
}

let verbs: ReadonlyMap<string, Command>;
beforeAll(async () => {
  const commands = await Promise.all(
    ['vault', 'ers', 'node', 'quorum', 'gateway'].map(async (noun) => (await nouns[noun]?.load()) ?? []),
  );
  verbs = new Map(commands.flat().map((command) => [command.name, command]));
});

/** What stands in the profiles that "vault profiles" writes. */
const PROFILE: ResolvedProfile = {
  path: 'profiles/node-1.yaml',
  settings: new Map(
    (['url', 'pcrs', 'manifest', 'client', 'key', 'nodes'] as const).map((name) => [
      name,
      { values: [name], origin: 'profile' },
    ]),
  ),
};

/** Says what a verb would not take of a command of a sheet; undefined where it takes all. */
function findMistake(line: string): string | undefined {
  const [program, ...words] = line.split(' ');
  if (program !== 'holdfast') return `${line}: no command of the vault`;
  const length = [3, 2].find((count) => verbs.has(words.slice(0, count).join(' '))) ?? 0;
  const command = verbs.get(words.slice(0, length).join(' '));
  if (command === undefined) return `${line}: there is no such verb`;
  const rest = words.slice(length);
  const io = {
    stdin: Readable.from([]),
    stdout: collectOutput().stream,
    stderr: collectOutput().stream,
    signal: new AbortController().signal,
  };
  try {
    parseInput(command, rest, io, rest.includes('--profile') ? PROFILE : undefined);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return `${line}: ${error.message}`;
    throw error;
  }
}

/** Every sheet of every person of the vault. */
const sheets = sheetRolesOf(document).flatMap((role) =>
  deriveRunSheet(document, role).procedures.map((procedure) => ({ role, ...procedure })),
);

/** What a person would type of a text: calls of the command with or without its name, and of other programs. */
function findCalls(text: string): readonly string[] {
  const named = [...verbs.keys()].toSorted((one, other) => other.length - one.length);
  const call = new RegExp(
    // "The holdfast command" is what somebody has, and nothing that is typed.
    String.raw`(?<![\w-])(?:holdfast (?!command)[a-z]+(?: [a-z-]+)*|${named.join('|')}|(?:openssl|aws|sudo|npm|npx|mkdir) [a-z-]\S*)(?![\w-])`,
    'g',
  );
  return text.match(call) ?? [];
}

/** All that a person types by a sheet: its numbered commands, and whatever its prose has them type. */
function typedBy(role: string, vault: VaultDocument, name: string): readonly string[] {
  const sheet = deriveRunSheet(vault, role);
  const procedure = sheet.procedures.find((one) => one.name === name);
  if (procedure === undefined) throw new Error(`${role} has no ${name}`);
  const prose = renderMarkdown(sheet, procedure).replaceAll(/^```sh\n.*\n```$/gm, '');
  return [...procedure.steps.map(({ command }) => command), ...findCalls(prose)];
}

describe('a run sheet', () => {
  it('is there for each procedure of each person, in a file of its own', () => {
    const names = sheets.map(({ role, name }) => `${role}/${name === 'ceremony' ? 'run-sheet' : name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names)
      expect([...files.keys()]).toEqual(expect.arrayContaining([`${name}.md`, `${name}.html`]));
    for (const role of roles)
      expect(names).toEqual(expect.arrayContaining([`${role}/run-sheet`, `${role}/recovery`]));
    expect(names).toEqual(
      expect.arrayContaining(['owners/backup', 'custodians/drill', 'custodians/recovery', 'auditor/drill']),
    );
  });

  it.each(sheets)(
    'of $role, $name, has at most seven commands, each with what to expect and what to do otherwise',
    ({ steps }) => {
      expect(steps.length).toBeLessThanOrEqual(MAX_COMMANDS);
      expect(MAX_COMMANDS).toBe(7);
      for (const { command, expect: expected, otherwise } of steps) {
        expect(command.split('\n')).toHaveLength(1);
        expect(command).not.toMatch(/&&|;|\|/);
        expect(Math.min(expected.length, otherwise.length)).toBeGreaterThan(10);
      }
    },
  );

  it.each(sheets)('of $role, $name, has at most seven commands with those in its prose', ({ role, name }) => {
    expect(typedBy(role, document, name).slice(MAX_COMMANDS)).toEqual([]);
  });

  it('counts what prose has somebody type', () => {
    const text =
      'Run "vault check" again, then holdfast explain CODE: see "ers status" (openssl genpkey -algorithm ed25519).';
    expect(findCalls(text)).toEqual(['vault check', 'holdfast explain', 'ers status', 'openssl genpkey']);
    expect(findCalls('vault.yaml of this vault, and keys of the quorum, are there.')).toEqual([]);
  });

  it('of a recovery has, with what is left of the new ceremony, at most seven commands for each admin', () => {
    for (const peerWitnesses of [null, { threshold: 1, maxUncosignedSeconds: 0 }]) {
      const { document: vault } = parseSample((sample) => {
        sample.parts['peerWitnesses'] = peerWitnesses;
      });
      for (const role of rolesOf(vault)) {
        const { steps } = ceremonyOf(vault, role);
        const begun = typedBy(role, vault, 'recovery');
        const left = steps.filter(({ command }) => command.includes('vault apply'));
        // Up to there the new run sheet has what the recovery's sheet has had them do already.
        expect(steps.length - left.length).toBe(begun.length);
        expect(begun.length + left.length).toBeLessThanOrEqual(MAX_COMMANDS);
      }
    }
  });

  it('has no more than seven commands where the vault has many keys', () => {
    const { document: many } = parseSample((vault) => {
      for (let key = 0; key < 20; key += 1)
        vault.tenant.keys.push({
          id: `key-${key}`,
          type: 'frost-ed25519',
          networks: [],
          ...(key % 2 === 0 ? {} : { publicKey: sampleKey(`lost ${key}`) }),
        });
    });
    for (const role of sheetRolesOf(many))
      for (const { steps } of deriveRunSheet(many, role).procedures)
        expect(steps.length).toBeLessThanOrEqual(MAX_COMMANDS);
    const text = JSON.stringify(deriveRunSheet(many, 'custodians'));
    for (const { id } of many.tenant.keys) expect(text).toContain(id);
  });

  it('has no more than seven commands where the vault has all parts, and one of them makes what the database needs', () => {
    const { document: vault } = parseSample((sample) => {
      for (let node = 4; node <= 9; node += 1)
        sample.nodes.push({ ...structuredClone(sample.nodes[2]), node } as (typeof sample.nodes)[0]);
      sample.parts = {
        ...PARTS,
        gateways: [{ id: 'kms', protocol: 'kms', client: 'wallet-backend' }],
      };
    });
    const { procedures } = deriveRunSheet(vault, 'infrastructure');
    const secrets = procedures.find(({ name }) => name === 'secrets');
    expect(secrets?.steps.map(({ command }) => command.split(' ')[0])).toEqual([
      'holdfast',
      'holdfast',
      'psql',
    ]);
    expect(typedBy('infrastructure', vault, 'secrets')).toHaveLength(3);
    expect(JSON.stringify(secrets)).not.toMatch(/CREATE ROLE|\\password/);
    expect(secrets?.steps[1]?.command).toContain('--postgres populate/postgres.sql');
    expect(findMistake(secrets?.steps[1]?.command ?? '')).toBeUndefined();
    expect(renderVaultFiles(vault).get('infrastructure/postgres-ca.pem')).toBe(CA_PEM);
  });

  it('of a door has its key made where it runs, and by nobody else', () => {
    const gateways = deriveRunSheet(document, 'gateways').procedures[0];
    expect(gateways?.steps[0]?.command).toBe('holdfast vault key kms-door');
    const settings = files.get('gateways/kms/gateway.yaml') ?? '';
    expect(settings).toContain('file: ../../../keys/kms-door.pem');
    expect(settings).not.toContain('client-key');
    expect(JSON.stringify(deriveRunSheet(document, 'infrastructure'))).not.toMatch(
      /client-key|keys\/kms-door/,
    );
  });

  it('has no more commands where nodes cosign each other', () => {
    const { document: witnessed } = parseSample((vault) => {
      vault.parts['peerWitnesses'] = { threshold: 1, maxUncosignedSeconds: 0 };
    });
    for (const role of rolesOf(witnessed))
      expect(ceremonyOf(witnessed, role).steps.length).toBeLessThanOrEqual(MAX_COMMANDS);
  });

  it.each(sheets)('of $role, $name, has commands that the command takes', ({ steps }) => {
    expect(steps.flatMap(({ command }) => findMistake(command) ?? [])).toEqual([]);
  });

  it.each(roles)('of %s names no account, no role and no key file of anybody else', (role) => {
    for (const name of [...files.keys()].filter(
      (one) => one.startsWith(`${role}/`) && !one.endsWith('.json'),
    )) {
      const text = files.get(name) ?? '';
      const own =
        document.nodes.find(({ node }) => role === `node-${node}`)?.account ??
        document.infrastructure.account;
      expect(new Set(text.match(/[0-9]{12}/g))).toEqual(new Set([own]));
      for (const other of roles.filter((one) => one !== role)) {
        expect(text).not.toContain(`keys/${other}.`);
        expect(text).not.toContain(`--role ${other}`);
      }
    }
  });

  it('has every admin of a node rebuild the image, in the ceremony and in an upgrade, where the vault wants that', () => {
    const strict = parseSample((vault) => {
      vault.release['rebuilds'] = 'required';
    }).document;
    const fetchesOf = (vault: VaultDocument, role: string) =>
      deriveRunSheet(vault, role)
        .procedures.filter(({ name }) => ['ceremony', 'upgrade'].includes(name))
        .map(({ steps }) =>
          steps.map(({ command }) => command ?? '').find((line) => line.includes('vault fetch')),
        );
    const rebuilds = [expect.stringContaining(' --rebuild'), expect.stringContaining(' --rebuild')];
    expect(fetchesOf(strict, 'node-2')).toEqual(rebuilds);
    expect(fetchesOf(strict, 'infrastructure').join(' ')).not.toContain('--rebuild');
    expect(fetchesOf(document, 'node-2').join(' ')).not.toContain('--rebuild');
  });

  it('says how each role has its keys made, and with which recovery key and Region', () => {
    const { document: elsewhere } = parseSample((vault) => {
      const [first] = vault.nodes;
      if (first !== undefined) first.region = 'eu-west-1';
    });
    const [first, second] = elsewhere.nodes;
    const joinOf = (role: string) => ceremonyOf(elsewhere, role).steps[0]?.command;
    expect(joinOf('node-1')).toMatch(
      new RegExp(`^holdfast vault join .* --region eu-west-1 --recovery-key ${first?.recovery.publicKey}$`),
    );
    expect(joinOf('node-2')).toContain(`--recovery-key ${second?.recovery.publicKey}`);
    expect(joinOf('node-2')).not.toContain('--region');
    expect(joinOf('infrastructure')).toContain(
      `holdfast vault join --role infrastructure --account ${elsewhere.infrastructure.account} --admin`,
    );
  });

  it('is one page of HTML that loads nothing and runs nothing', () => {
    const html = files.get('node-1/run-sheet.html') ?? '';
    expect(html).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import/i);
    expect(html).toContain("default-src 'none'");
    expect(html.match(/<pre>/g)).toHaveLength(ceremonyOf(document, 'node-1').steps.length);
  });

  it('shows markup of a description as text', () => {
    const { document: odd } = parseSample((vault) => {
      vault.infrastructure.admins[0] = 'arn:aws:iam::444455556666:role/a+b=c,d.e@f-g';
    });
    const html = renderVaultFiles(odd).get('infrastructure/run-sheet.html') ?? '';
    expect(html).toContain('role/a+b=c,d.e@f-g');
  });
});

/** Counts the runs of "vault apply" of each role until all is done, where each run does all that is ready. */
function countRuns(vault: VaultDocument): ReadonlyMap<Role, number> {
  const done = new Set<string>();
  const runs = new Map<Role, number>();
  const run = (role: Role): boolean => {
    const before = done.size;
    for (const { id, needs } of stepsOf(vault).filter((step) => step.role === role))
      if (needs.every((need) => done.has(need))) done.add(id);
    if (done.size === before) return false;
    runs.set(role, (runs.get(role) ?? 0) + 1);
    return true;
  };
  const [infrastructure, ...nodes] = rolesOf(vault);
  // As the sheets have it: infrastructure runs once, then nodes as often as they can without it.
  for (let isProgress = true; isProgress;) {
    isProgress = run(infrastructure ?? 'infrastructure');
    while (nodes.map(run).includes(true)) isProgress = true;
  }
  expect(done.size).toBe(stepsOf(vault).length);
  return runs;
}

describe('the rounds of the ceremony', () => {
  it.each([
    ['with nodes that nobody witnesses', null, false],
    ['with nodes that cosign each other', { threshold: 1, maxUncosignedSeconds: 0 }, false],
    ['with signing functions', null, true],
    ['with both', { threshold: 1, maxUncosignedSeconds: 0 }, true],
  ])('%s are as many as the sheets have', (_, peerWitnesses, hasFunction) => {
    const { document: vault } = parseSample((sample) => {
      sample.parts['peerWitnesses'] = peerWitnesses;
      for (const node of sample.nodes)
        node.configurationAuthority = { ...node.configurationAuthority, threshold: 1, function: hasFunction };
    });
    const counted = countRuns(vault);
    const listed = new Map(
      rolesOf(vault).map((role) => {
        const { steps } = ceremonyOf(vault, role);
        return [role, steps.filter(({ command }) => command.includes('vault apply')).length] as const;
      }),
    );
    // The last node of a round finds the others done already, and may need fewer runs.
    for (const role of ['infrastructure', 'node-1'] as const)
      expect([role, listed.get(role)]).toEqual([role, counted.get(role)]);
    for (const [role, runs] of counted) expect(runs).toBeLessThanOrEqual(listed.get(role) ?? 0);
  });
});

describe('what is written of a vault', () => {
  it('is the same every time', () => {
    expect(renderVaultFiles(document)).toEqual(files);
  });

  it('holds nothing secret', () => {
    for (const content of files.values()) {
      expect(content).not.toMatch(/PRIVATE KEY|AKIA|ASIA|secret_access|password=/i);
      // Public keys are in vault.yaml alone.
      expect(content).not.toContain(sampleKey('statement 1'));
    }
  });

  it('has parameters as CloudFormation takes them: texts without anything else', () => {
    const stack = JSON.parse(files.get('node-1/acme-production-node-1.json') ?? '') as {
      parameters: Record<string, unknown>;
      account: string;
    };
    expect(Object.values(stack.parameters).every((value) => typeof value === 'string')).toBe(true);
    expect(stack.parameters).toMatchObject({ WalletAccountId: '444455556666', NodeIndex: '1' });
    expect(stack.account).toBe('111111111111');
  });
});

/** What people give to make because no vault.yaml has it. */
const GIVEN = {
  VERSION: '1.5.0',
  SIGN_KEY: 'treasury',
  CLIENT: 'keeper-backend',
  CLIENT_KEY: 'client.pem',
  LEADER: '5e'.repeat(32),
};

describe('the Makefile', () => {
  const folder = temporaryFolder();
  const HOLDFAST = join(folder, 'holdfast');
  const make = (args: readonly string[], env: Record<string, string> = {}, cwd = folder) =>
    spawnSync('make', ['-f', join(folder, 'sheets/Makefile'), ...args], {
      encoding: 'utf8',
      cwd,
      env: { PATH: process.env['PATH'] ?? '', ...env },
    });
  beforeAll(() => {
    mkdirSync(join(folder, 'sheets'), { recursive: true });
    writeFileSync(join(folder, 'sheets/Makefile'), files.get('Makefile') ?? '');
    writeFileSync(HOLDFAST, '#!/bin/sh\necho "called: $*"\n');
    chmodSync(HOLDFAST, 0o755);
  });

  it('has the targets that people know, each one line', () => {
    const names = listTargets(document).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'deploy-baseline',
        'deploy-policy-node1-long-lived',
        'populate-secrets-policy-node1',
        'populate-secrets-wallet',
        'deploy-nitro-nodes',
        'deploy-gateways',
        'run-gateway-kms',
        'backup-policy-node1',
        'backup-status-policy-node1',
        'verify-backups',
        'drill-due',
        'check-rules',
        'configure-policy-node1',
        'configure-nodes',
        'status',
      ]),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const { line } of listTargets(document)) expect(line).not.toContain('\n');
  });

  it('has no two targets that do the same', () => {
    const lines = listTargets(document).map(({ line }) => line);
    expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([]);
  });

  it('names stages that have steps', () => {
    for (const role of roles)
      for (const stage of [1, 2])
        expect([
          role,
          stage,
          stepsOf(document).some((step) => step.role === role && step.stage === stage),
        ]).toEqual([role, stage, true]);
    // A stage does not wait for a later one: what is long-lived is made first.
    const stageOf = new Map<string, number>(stepsOf(document).map(({ id, stage }) => [id, stage]));
    for (const { id, stage, needs, role } of stepsOf(document))
      for (const need of needs.filter((one) => one.startsWith(`${role}/`)))
        expect([id, need, (stageOf.get(need) ?? 0) <= stage]).toEqual([id, need, true]);
  });

  it('calls the command as make runs it', () => {
    mkdirSync(join(folder, 'backups'));
    writeFileSync(join(folder, 'backups/node-1.treasury.json'), '');
    for (const { name, help } of listTargets(document)) {
      const { status, stdout, stderr } = make(['-s', name], { HOLDFAST, ...GIVEN });
      if (help === 'refused') {
        expect([name, status]).toEqual([name, 2]);
        expect(stderr).toMatch(/numbered from 1|no tool deletes|beside its client/);
        for (const [right] of stderr.matchAll(/[a-z-]+node1[a-z-]*/g))
          expect(listTargets(document).map((target) => target.name)).toContain(right);
        continue;
      }
      expect([name, status, stderr]).toEqual([name, 0, '']);
      expect(stdout).toMatch(/^called: (?:vault|ers|gateway) /);
      expect(findMistake(stdout.trim().replace('called:', 'holdfast'))).toBeUndefined();
    }
    expect(make(['-s', 'verify-backups'], { HOLDFAST, ...GIVEN }).stdout).toContain(
      ` --backup ${realpathSync(folder)}/backups/node-1.treasury.json `,
    );
  });

  it('is called from any folder, and means the files of the vault above it', () => {
    const sheetsFolder = join(folder, 'sheets');
    for (const { name, help } of listTargets(document).filter((target) => target.help !== 'refused')) {
      const [above, inside, elsewhere] = [folder, sheetsFolder, temporaryFolder()].map(
        (cwd) => make(['-s', name], { HOLDFAST, ...GIVEN }, cwd).stdout,
      );
      expect([name, help, inside, elsewhere]).toEqual([name, help, above, above]);
    }
    const inside = spawnSync('make', ['-s', 'check'], {
      encoding: 'utf8',
      cwd: sheetsFolder,
      env: { PATH: process.env['PATH'] ?? '', HOLDFAST },
    });
    expect(inside.stdout).toBe(`called: vault check --vault ${realpathSync(folder)}/vault.yaml\n`);
  });

  it('says what it was not given, and calls nothing then', () => {
    const { status, stdout, stderr } = make(['-s', 'profiles'], { HOLDFAST });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('give CLIENT=');
  });

  it('lists its targets', () => {
    const { stdout, status } = make(['-s']);
    expect(status).toBe(0);
    for (const { name } of listTargets(document)) expect(stdout).toContain(name);
    expect(readFileSync(join(folder, 'sheets/Makefile'), 'utf8')).not.toMatch(/delete-stack|rm -rf/);
  });
});
