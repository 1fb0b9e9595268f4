import { dirname } from 'node:path';
import type { ParentConfig } from '../../config/schema.ts';
import { type Check, type CheckContext, configOf } from './check.ts';
import { fail, type CheckResult, ok, quote, skip, warn } from './check-result.ts';
import { errnoOf, type FileFacts } from './host.ts';
import { showUnit } from './unit.ts';

interface Named {
  readonly path: string;
  /** Description of the file for people. */
  readonly what: string;
  /** True where the file holds a password. */
  readonly isSecret?: boolean;
}

/** Folder in which systemd puts what LoadCredential= names: systemd.exec(5). */
const CREDENTIALS = '/run/credentials/';

function filesOf(config: ParentConfig, configPath: string): readonly Named[] {
  const { enclave, artifacts, egress, store } = config;
  const named = (what: string, path: string | undefined): Named[] =>
    path === undefined ? [] : [{ what, path }];
  const artifact = (what: string, location: ParentConfig['artifacts']['manifest']) =>
    location.type === 'file' ? named(what, location.file) : [];
  return [
    { what: 'configuration of the parent', path: configPath },
    ...named('image', enclave.image),
    ...named('pcr.json', enclave.pcrs),
    ...artifact('manifest', artifacts.manifest),
    ...artifact('configuration', artifacts.configuration),
    ...artifact('folder of secrets', artifacts.secrets),
    ...named('allow-list', egress.allowlistFile),
    // A credential of systemd's is there only while the service runs, and for the service alone.
    ...('postgres' in store && 'urlFile' in store.postgres && !store.postgres.urlFile.startsWith(CREDENTIALS)
      ? [{ what: 'URL of PostgreSQL', path: store.postgres.urlFile, isSecret: true }]
      : []),
  ];
}

const filesCheck: Check = {
  part: 'files',
  title: 'files',
  needs: ['config'],
  async run(context) {
    const files = filesOf(configOf(context), context.configPath);
    const user = await serviceUser(context);
    const findings: CheckResult[] = [];
    for (const file of files) findings.push(...(await checkFile(file, user, context)));
    return findings.some(({ status }) => status === 'warn' || status === 'fail')
      ? findings.filter(({ status }) => status !== 'ok')
      : [ok(`${files.length} files are there, and nobody but their owner may change them`), ...findings];
  },
};

/** Finds whether the service runs under a dynamic user, who is neither root nor in any group of the files. */
async function serviceUser({ host, signal }: CheckContext): Promise<'dynamic' | 'unknown'> {
  const unit = await showUnit(host, 'holdfast-parent.service', ['DynamicUser'], signal);
  return unit?.get('DynamicUser') === 'yes' ? 'dynamic' : 'unknown';
}

async function checkFile(
  { path, what, isSecret = false }: Named,
  user: 'dynamic' | 'unknown',
  { host }: CheckContext,
): Promise<readonly CheckResult[]> {
  let facts: FileFacts;
  const folders: FileFacts[] = [];
  try {
    facts = await host.stat(path);
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      folders.push(await host.stat(folder));
      if (folder === dirname(folder)) break;
    }
  } catch (error) {
    return [describeMissing(error, path, what)];
  }
  const findings: CheckResult[] = [];
  const isOpen = ({ mode, gid }: FileFacts) => (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
  // A sticky folder, such as /tmp, lets nobody replace another user's file. On an installed host files belong to root;
  // elsewhere to the user who tries things out.
  const isOthers = user === 'dynamic' && facts.uid !== 0;
  if (isOthers || isOpen(facts) || folders.some((folder) => isOpen(folder) && (folder.mode & 0o1000) === 0)) {
    findings.push(
      fail('FILE_WRITABLE', `the ${what}, ${path}, can be changed by others than root`, {
        advice: 'take that away, from the file and from the folders above it',
        command: `sudo chown root:root ${quote(path)} && sudo chmod go-w ${quote(path)} ${quote(dirname(path))}`,
      }),
    );
  }
  const isReadable = (facts.mode & 0o004) !== 0 && folders.every(({ mode }) => (mode & 0o001) !== 0);
  if (isSecret) {
    if (user === 'dynamic') findings.push(describeSecret(path, what, isReadable));
  } else if (user === 'dynamic' && !isReadable) {
    findings.push(
      fail(
        'FILE_UNREADABLE_FOR_SERVICE',
        `the ${what}, ${path}, is not for the service to read, whose user is in no group`,
        {
          advice: 'let everybody read it: it holds no plaintext secret',
          command: `sudo chmod a+rX ${quote(dirname(path))} ${quote(path)}`,
        },
      ),
    );
  }
  return findings;
}

/** Describes the access to a secret. The service's user is in no group: it cannot read the file, or everybody can. */
function describeSecret(path: string, what: string, isReadable: boolean): CheckResult {
  const mend = {
    advice:
      'keep it for root alone (0600) and have systemd hand it over: LoadCredential=postgres-url:FILE in a drop-in, and urlFile: /run/credentials/holdfast-parent.service/postgres-url',
    command: `sudo chmod 0600 ${quote(path)} && sudo systemctl edit holdfast-parent`,
  };
  return isReadable
    ? warn('FILE_EXPOSED', `everybody on this machine may read the password in the ${what}, ${path}`, mend)
    : fail('FILE_UNREADABLE_FOR_SERVICE', `the ${what}, ${path}, is not for the service to read`, mend);
}

function describeMissing(error: unknown, path: string, what: string): CheckResult {
  const code = errnoOf(error);
  if (code === 'EACCES')
    return skip('NOT_PERMITTED', `the ${what}, ${path}, is not for this user to see: try sudo`);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  return fail('FILE_MISSING', `there is no ${what} at ${path}`, {
    advice: 'put it there, or mend the path in the configuration',
    command: `sudo install -m 0644 FILE ${quote(path)}`,
  });
}

const storeCheck: Check = {
  part: 'files',
  title: 'store',
  needs: ['config'],
  async run(context) {
    const { store } = configOf(context);
    if (!('sqlite' in store))
      return [skip('NOT_APPLICABLE', 'the store is PostgreSQL: its own permissions apply')];
    const folder = dirname(store.sqlite);
    let facts: FileFacts;
    try {
      facts = await context.host.stat(folder);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return [skip('NOT_APPLICABLE', `${folder} is not there yet: the service makes it when it starts`)];
    }
    if ((facts.mode & 0o022) !== 0) {
      return [
        fail('STORE_EXPOSED', `others may write in ${folder}: they can end the node for good`, {
          advice: 'close it',
          command: `sudo chmod 0700 ${quote(folder)}`,
        }),
      ];
    }
    if ((facts.mode & 0o055) !== 0) {
      return [
        warn('STORE_EXPOSED', `others may read ${folder}; it holds sealed records only`, {
          advice: 'close it all the same',
          command: `sudo chmod 0700 ${quote(folder)}`,
        }),
      ];
    }
    return [ok(`${folder} is for the service alone`)];
  },
};

export const fileChecks: readonly Check[] = [filesCheck, storeCheck];
