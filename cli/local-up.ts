import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { CLIENT, DEMO_KEYS, DEMO_RULES } from '../local/demo/index.ts';
import { bringUp, type LocalNode } from '../local/world/index.ts';
import { HoldfastError } from '../shared/errors.ts';
import { type Io, type Outcome, UsageError } from './command.ts';
import { CliError } from './errors.ts';

export interface LocalUpInput {
  readonly stateDirectory: string;
  readonly port: number;
  readonly json: boolean;
  readonly io: Io;
}

const STOPPED: Outcome = { ok: true, text: 'stopped', data: { event: 'stopped' } };

/** Runs a local node until the user has enough or the node ends. */
export async function localUp({ stateDirectory, port, json, io }: LocalUpInput): Promise<Outcome> {
  const isNew = await isEmpty(stateDirectory);
  const local = await bringUp({
    stateDirectory,
    port,
    clientId: CLIENT,
    keys: DEMO_KEYS,
    rules: DEMO_RULES,
  }).catch((error: unknown) => {
    throw isNew ? explain(error, stateDirectory, port) : explainState(error, stateDirectory, port);
  });
  try {
    const { code, enclave, parent, url } = local.node;
    // Ctrl-C on a terminal reaches the enclave as well.
    if (code !== null && io.signal.aborted) return STOPPED;
    if (code !== null)
      return { ok: false, text: `the node refused to start: ${code}`, data: { event: 'refused', code } };
    const { files, clientId, keys, aws } = local;
    const data = {
      event: 'serving',
      url,
      status: parent.statusUrl,
      clientId,
      files,
      keys: keys.map(({ id, type }) => ({ id, type })),
      aws,
    };
    // A script waits for this one line.
    io.stdout.write(json ? `${JSON.stringify(data)}\n` : describe(local));
    const aborted = io.signal.aborted ? Promise.resolve() : once(io.signal, 'abort');
    const ended = await Promise.race([aborted.then(() => undefined), enclave.exited]);
    if (ended === undefined || io.signal.aborted) return STOPPED;
    const reason = parent.node?.code ?? 'NO_WORD';
    return { ok: false, text: `the node has ended: ${reason}`, data: { event: 'ended', code: reason } };
  } finally {
    await local.stop();
  }
}

/** The system's own refusals of the folder or the port are about the user's words. */
function explain(error: unknown, stateDirectory: string, port: number): unknown {
  const system = error instanceof HoldfastError && error.code === 'OPTION_INVALID' ? error.cause : error;
  const code =
    system instanceof Error && 'syscall' in system && 'code' in system ? String(system.code) : undefined;
  if (code === undefined) return error;
  return code === 'EADDRINUSE' || (code === 'EACCES' && port !== 0 && port < 1024)
    ? new UsageError(`--port ${port} cannot be had: ${code}`)
    : new UsageError(`--state ${stateDirectory} cannot be used: ${code}`);
}

/** What an earlier run has left does not make sense, and whoever parsed it knows no code of ours. */
function explainState(error: unknown, stateDirectory: string, port: number): unknown {
  const explained = explain(error, stateDirectory, port);
  if (
    explained instanceof UsageError ||
    (explained instanceof HoldfastError && explained.code !== 'INTERNAL')
  ) {
    return explained;
  }
  return new CliError(
    'STATE_DAMAGED',
    'the state of an earlier run cannot be used: give another --state, or move this folder away',
    { state: stateDirectory, problem: nameProblem(error) },
  );
}

/** By its kind: the message of a parser quotes what it has read, and keys lie there. */
function nameProblem(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.length === 0;
}

function describe({ node, files, clientId, keys, aws }: LocalNode): string {
  const trust = `--url ${node.url} --root ${quote(files.root)} --pcrs ${quote(files.pcrs)} --manifest ${quote(files.manifest)}`;
  const client = `--client ${clientId} --key ${quote(files.clientKey)}`;
  const status = node.parent.statusUrl ?? '';
  const [first] = keys;
  return [
    `A policy node serves at ${node.url}`,
    `its parent's status    ${status}/status`,
    `its keys               ${keys.map(({ id, type }) => `${id} (${type})`).join(', ')}`,
    '',
    // Elsewhere npx would look for a package of this name at the registry.
    "In another terminal, in the project's folder:",
    `  npx holdfast node status ${status}`,
    `  npx holdfast node attest ${trust}`,
    `  npx holdfast node keys ${trust} ${client}`,
    `  npx holdfast node sign ${first?.id ?? ''} --digest ${'11'.repeat(32)} ${trust} ${client}`,
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

/** A path as a POSIX shell takes it. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
