import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { CLIENT, DEMO_KEYS, DEMO_RULES } from '../../local/demo/index.ts';
import { bringUp, type LocalNode } from '../../local/testbed/index.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { type Io, type Outcome, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { writeOutput } from '../common/output-file.ts';
import { PROFILE_NAME } from '../common/profile-file.ts';
import type { SettingName } from '../common/settings.ts';

export interface LocalUpInput {
  readonly stateDirectory: string;
  readonly port: number;
  readonly statusPort: number;
  readonly json: boolean;
  readonly io: Io;
}

const STOPPED: Outcome = { ok: true, text: 'stopped', data: { event: 'stopped' } };

/** Runs a local node until the user stops it or the node ends. */
export async function localUp(input: LocalUpInput): Promise<Outcome> {
  const { stateDirectory, port, statusPort, json, io } = input;
  const isNew = await isEmpty(stateDirectory);
  const local = await bringUp({
    stateDirectory,
    port,
    statusPort,
    clientId: CLIENT,
    keys: DEMO_KEYS,
    rules: DEMO_RULES,
  }).catch((error: unknown) => {
    throw isNew ? explain(error, input) : explainState(error, input);
  });
  try {
    const { code, enclave, parent, url } = local.node;
    // Ctrl-C on a terminal ends the enclave as well, which is no failure.
    if (code !== null && io.signal.aborted) return STOPPED;
    if (code !== null)
      return { ok: false, text: `the node refused to start: ${code}`, data: { event: 'refused', code } };
    const { files, clientId, keys, aws } = local;
    const profile = await writeProfile(local, stateDirectory);
    const data = {
      event: 'serving',
      url,
      status: parent.statusUrl,
      clientId,
      files,
      profile,
      keys: keys.map(({ id, type }) => ({ id, type })),
      aws,
    };
    // A script waits for this one line.
    io.stdout.write(json ? `${JSON.stringify(data)}\n` : describe(local, profile));
    const aborted = io.signal.aborted ? Promise.resolve() : once(io.signal, 'abort');
    const ended = await Promise.race([aborted.then(() => undefined), enclave.exited]);
    if (ended === undefined || io.signal.aborted) return STOPPED;
    const reason = parent.node?.code ?? 'NO_WORD';
    return { ok: false, text: `the node has ended: ${reason}`, data: { event: 'ended', code: reason } };
  } finally {
    await local.stop();
  }
}

/** Turns the system's refusals of the folder or the port into usage errors. */
function explain(error: unknown, { stateDirectory, port, statusPort }: LocalUpInput): unknown {
  const system = error instanceof HoldfastError && error.code === 'OPTION_INVALID' ? error.cause : error;
  const code =
    system instanceof Error && 'syscall' in system && 'code' in system ? String(system.code) : undefined;
  if (code === undefined) return error;
  return code === 'EADDRINUSE' || (code === 'EACCES' && port !== 0 && port < 1024)
    ? new UsageError(`--port ${port} or --status-port ${statusPort} cannot be had: ${code}`)
    : new UsageError(`--state ${stateDirectory} cannot be used: ${code}`);
}

/** Turns a parser's refusal of the state that an earlier run has left into a coded error. */
function explainState(error: unknown, input: LocalUpInput): unknown {
  const explained = explain(error, input);
  if (
    explained instanceof UsageError ||
    (explained instanceof HoldfastError && explained.code !== 'INTERNAL')
  ) {
    return explained;
  }
  return new CliError(
    'STATE_DAMAGED',
    'the state of an earlier run cannot be used: give another --state, or move this folder away',
    { state: input.stateDirectory, problem: nameProblem(error) },
  );
}

/** Names a problem by the error's kind: the message of a parser quotes its input, and keys lie there. */
function nameProblem(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.length === 0;
}

/** Writes a profile by which the other commands find this node: HOLDFAST_PROFILE names it. */
async function writeProfile({ node, files, clientId }: LocalNode, stateDirectory: string): Promise<string> {
  const path = resolve(stateDirectory, PROFILE_NAME);
  const { statusUrl } = node.parent;
  const settings = {
    url: node.url,
    ...(statusUrl === undefined ? {} : { status: statusUrl }),
    root: files.root,
    pcrs: files.pcrs,
    manifest: files.manifest,
    client: clientId,
    key: files.clientKey,
  } satisfies Partial<Record<SettingName, string>>;
  await writeOutput(path, `# Written by "holdfast local up" at each start.\n${stringify(settings)}`, {
    mode: 0o600,
  });
  return path;
}

function describe({ node, keys, aws }: LocalNode, profile: string): string {
  const [first] = keys;
  return [
    `A policy node serves at ${node.url}`,
    `its parent's status    ${node.parent.statusUrl ?? ''}/status`,
    `its keys               ${keys.map(({ id, type }) => `${id} (${type})`).join(', ')}`,
    '',
    "In another terminal, in the project's folder:",
    `  export HOLDFAST_PROFILE=${quote(profile)}`,
    '  ./holdfast profile show',
    '  ./holdfast node status',
    '  ./holdfast node attest',
    '  ./holdfast node keys',
    `  ./holdfast node sign ${first?.id ?? ''} --digest ${'11'.repeat(32)}`,
    '',
    `Its AWS, KMS and Secrets Manager, is at ${aws.endpoint}, for the AWS CLI and every SDK:`,
    // A key in the environment would win over the profile.
    '  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN',
    `  export AWS_CONFIG_FILE=${quote(aws.files.config)} AWS_SHARED_CREDENTIALS_FILE=${quote(aws.files.credentials)}`,
    `  export AWS_CA_BUNDLE=${quote(aws.files.caBundle)} AWS_PROFILE=${aws.profiles.account}`,
    `  aws kms list-keys --endpoint-url ${aws.endpoint}`,
    `  aws kms get-key-policy --key-id ${aws.keyArn} --profile ${aws.profiles.nodeAdmin} --endpoint-url ${aws.endpoint}`,
    '',
    'Ctrl-C stops it; the next start finds its keys again.',
    '',
  ].join('\n');
}

/** Quotes a path for a POSIX shell. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
