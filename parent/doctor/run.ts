import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../shared/errors.ts';
import { parseParentConfig } from '../config/parse.ts';
import type { ParentConfig } from '../config/schema.ts';
import { ParentOptionError } from '../common/errors.ts';
import { type Check, type CheckContext, type Part } from './checks/check.ts';
import { CHECKS } from './checks/index.ts';
import { fail, type CheckResult, ok, quote, skip, warn } from './checks/check-result.ts';
import { errnoOf, type Host } from './checks/host.ts';
import { type Instance, readInstance } from './checks/instance-type.ts';

export interface DoctorOptions {
  readonly host: Host;
  readonly configPath: string;
  /** True where the operator named the path; a usual path may hold no file. */
  readonly configIsNamed: boolean;
  /** True to look at nothing beyond this machine. */
  readonly offline: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Finding as the report lists it, one a line. */
export type ReportedFinding = CheckResult & { readonly part: Part; readonly check: string };

export interface DoctorReport {
  readonly instance: Instance;
  /** True where this machine can run an enclave at all. */
  readonly isEnclaveHost: boolean;
  readonly findings: readonly ReportedFinding[];
}

const DEADLINE_MS = 5_000;
/** Deadline for the metadata service, which responds at once or not at all. */
const METADATA_MS = 2_000;

/** Runs the checks on a parent host, one after the other. Never throws for what a check finds. */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const { host, configPath, offline, onProgress = () => {}, signal } = options;
  const findings: ReportedFinding[] = [];
  const total = CHECKS.length + 1;
  const instance = await readInstance(host, offline, AbortSignal.timeout(METADATA_MS));
  const loaded = await loadConfig(options);
  findings.push({ ...loaded.finding, part: 'files', check: 'configuration' });
  onProgress(1, total);
  for (const [index, check] of CHECKS.entries()) {
    signal?.throwIfAborted();
    const context = { host, config: loaded.config, configPath, instance, offline };
    for (const finding of await runCheck(check, context, signal)) {
      findings.push({ ...finding, part: check.part, check: check.title });
    }
    onProgress(index + 2, total);
  }
  return { instance, isEnclaveHost: instance.kind === 'nitro', findings };
}

async function loadConfig({
  host,
  configPath,
  configIsNamed,
}: DoctorOptions): Promise<{ finding: CheckResult; config: ParentConfig | undefined }> {
  try {
    const config = parseParentConfig(Buffer.from(await host.read(configPath)).toString('utf8'));
    return { config, finding: ok(`${configPath} says what it must`) };
  } catch (error) {
    return { config: undefined, finding: describeConfigError(error, configPath, configIsNamed) };
  }
}

function describeConfigError(error: unknown, path: string, isNamed: boolean): CheckResult {
  if (error instanceof ParentOptionError) {
    const { fields, line } = error.details;
    const inLine = typeof line === 'number' ? `, line ${line}` : '';
    const where = Array.isArray(fields) ? `: ${fields.join('; ')}` : inLine;
    return fail('CONFIG_INVALID', `${path}: ${error.message}${where}`, {
      advice: 'mend these fields; docs/parent.md explains each',
      command: `sudoedit ${quote(path)}`,
    });
  }
  const code = errnoOf(error);
  if (code === 'EACCES') return skip('NOT_PERMITTED', `${path} is not for this user to read: try sudo`);
  const found = `${path} cannot be read (${code}): what depends on it is left out`;
  if (isNamed)
    return fail('CONFIG_MISSING', found, { advice: 'name the file that the parent runs with by --config' });
  return warn('CONFIG_MISSING', found, {
    advice: 'install the parent, or name another file with --config',
    command: 'sudo scripts/install-parent.sh',
  });
}

async function runCheck(
  check: Check,
  context: Omit<CheckContext, 'signal'>,
  stop: AbortSignal | undefined,
): Promise<readonly CheckResult[]> {
  const skipped = findHindrance(check, context);
  if (skipped !== undefined) return [skipped];
  const { deadlineMs = DEADLINE_MS } = check;
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = stop === undefined ? deadline : AbortSignal.any([deadline, stop]);
  const over = new AbortController();
  try {
    return await Promise.race([
      check.run({ ...context, signal }),
      // Later than the signal, so that a check that minds the signal reports itself what was slow.
      sleep(deadlineMs + 250, undefined, { signal: over.signal }).then(() => {
        throw new DeadlineError();
      }),
    ]);
  } catch (error) {
    stop?.throwIfAborted();
    return [describeFailure(error, deadline)];
  } finally {
    over.abort();
  }
}

class DeadlineError extends Error {}

function describeFailure(error: unknown, deadline: AbortSignal): CheckResult {
  if (error instanceof DeadlineError || deadline.aborted) {
    return warn('CHECK_TIMED_OUT', 'this took too long, and nothing is known', {
      advice: 'look whether the machine is overloaded, and try again',
    });
  }
  const code = errnoOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return skip('NOT_PERMITTED', 'not for this user to see: try sudo');
  }
  return warn(
    'CHECK_BROKE',
    `this could not be looked at (${code === 'UNKNOWN' ? errorCode(error) : code})`,
    {
      advice: 'report it, with what "holdfast doctor --json" prints',
    },
  );
}

function findHindrance(
  { needs = [] }: Check,
  { config, instance, offline }: Omit<CheckContext, 'signal'>,
): CheckResult | undefined {
  if (needs.includes('enclave-host') && instance.kind !== 'nitro') {
    return skip('NOT_ENCLAVE_HOST', 'not an EC2 instance on Nitro: there is no enclave to run here');
  }
  if (needs.includes('config') && config === undefined) {
    return skip('NOT_CONFIGURED', 'there is no configuration to compare with');
  }
  if (needs.includes('network') && offline) return skip('OFFLINE', '--offline');
  return undefined;
}
