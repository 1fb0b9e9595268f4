import { isIP } from 'node:net';
import { kmsHost } from '../../../shared/aws/kms-host.ts';
import { amazonTrustRoots } from '../../../shared/aws/trust-roots.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import { readTargets, type ReadTargets } from '../../config/build.ts';
import { isAddressAllowed } from '../../egress/addresses.ts';
import { createAllowList, targetKey, type EgressTarget } from '../../egress/targets.ts';
import type { VsockProxyFileWarning } from '../../config/vsock-proxy-file.ts';
import { ParentOptionError } from '../../common/errors.ts';
import { type Check, type CheckContext, configOf } from './check.ts';
import { fail, type CheckResult, ok, quote, skip, warn } from './check-result.ts';
import { errnoOf, readText } from './host.ts';

/** Maximum of targets that are checked; more would take too long. */
const MAX_TARGETS = 32;

const kmsCheck: Check = {
  part: 'network',
  title: 'KMS on the allow-list',
  needs: ['config'],
  async run(context) {
    let read: ReadTargets;
    try {
      read = await readAllTargets(context);
      createAllowList(read.targets);
    } catch (error) {
      if (!(error instanceof ParentOptionError)) throw error;
      return [describeBadTarget(error, context)];
    }
    const ignored = read.warnings.map((warning) => describeIgnored(warning, context));
    const region = (await readKmsRegion(context)) ?? configOf(context).region;
    if (region === undefined)
      return [...ignored, skip('NOT_APPLICABLE', 'neither manifest nor configuration tells the Region')];
    const wanted = kmsHost(region);
    const key = targetKey(wanted, 443);
    if (read.targets.some(({ host, port }) => targetKey(host, port) === key)) return [...ignored, ok(wanted)];
    return [
      ...ignored,
      fail('EGRESS_KMS_MISSING', `${wanted} is not on the allow-list: the enclave cannot reach its KMS`, {
        advice: `add "- { host: ${wanted}, port: 443 }" to egress.allowlist`,
        command: `sudoedit ${quote(context.configPath)} && sudo systemctl reload holdfast-parent`,
      }),
    ];
  },
};

/** Reads the Region of the KMS that the enclave will ask, from the manifest. */
async function readKmsRegion(context: CheckContext): Promise<string | undefined> {
  const { manifest } = configOf(context).artifacts;
  if (manifest.type !== 'file') return undefined;
  try {
    return parseManifest(await context.host.read(manifest.file)).kms.region;
  } catch {
    return undefined;
  }
}

function describeBadTarget({ message, details }: ParentOptionError, context: CheckContext): CheckResult {
  const { host, line } = details;
  const { allowlistFile = context.configPath } = configOf(context).egress;
  const [place, path] =
    typeof line === 'number' ? [`line ${line}`, allowlistFile] : [String(host), context.configPath];
  return fail('CONFIG_INVALID', `the allow-list: ${message} (${place})`, {
    advice: 'mend this target; docs/parent.md explains each field',
    command: `sudoedit ${quote(path)}`,
  });
}

function describeIgnored({ code, line, address }: VsockProxyFileWarning, context: CheckContext): CheckResult {
  const { allowlistFile = '' } = configOf(context).egress;
  const what = code === 'ALLOWLIST_DOCUMENT_IGNORED' ? 'a second YAML document' : `"${address ?? ''}"`;
  return warn(code, `${allowlistFile}, line ${line}: ${what} opens nothing`, {
    advice: 'write each host out, in the first document: the list has no patterns',
    command: `sudoedit ${quote(allowlistFile)}`,
  });
}

/**
 * Reads the targets. @throws ParentOptionError OPTION_INVALID for a file of vsock-proxy's that cannot be read as such
 */
async function readAllTargets(context: CheckContext): Promise<ReadTargets> {
  const { egress } = configOf(context);
  try {
    return await readTargets(egress, (path) => readText(context.host, path));
  } catch (error) {
    if (error instanceof ParentOptionError) throw error;
    // The check of files reports a missing allow-list file.
    return await readTargets({ ...egress, allowlistFile: undefined });
  }
}

const targetsCheck: Check = {
  part: 'network',
  title: 'targets',
  needs: ['config', 'network'],
  deadlineMs: 20_000,
  async run(context) {
    let targets: readonly EgressTarget[];
    try {
      ({ targets } = await readAllTargets(context));
      createAllowList(targets);
    } catch (error) {
      if (!(error instanceof ParentOptionError)) throw error;
      return [skip('NOT_APPLICABLE', 'the allow-list cannot be read: "KMS on the allow-list" says why')];
    }
    const looked = targets.slice(0, MAX_TARGETS);
    const findings = await Promise.all(looked.map((target) => checkTarget(target, context)));
    return targets.length > looked.length
      ? [...findings, skip('NOT_APPLICABLE', `${targets.length - looked.length} targets more were not tried`)]
      : findings;
  },
};

async function checkTarget(target: EgressTarget, context: CheckContext): Promise<CheckResult> {
  const name = `${target.host}:${target.port}`;
  let addresses: readonly { address: string; port: number }[];
  try {
    addresses = await dialTarget(target, context);
  } catch (error) {
    return fail('EGRESS_DNS_FAILED', `${name}: no address (${errnoOf(error)})`, {
      advice: "look at the VPC's resolver, and whether enableDnsSupport is on",
      command: `getent ahosts ${quote(target.host)}`,
    });
  }
  const { networks } = createAllowList([target]).targets[0] ?? {};
  const allowed = addresses.filter(
    ({ address }) => target.connectTo !== undefined || isAddressAllowed(address, networks),
  );
  const [first] = allowed;
  if (first === undefined) {
    const seen = addresses.map(({ address }) => address);
    return fail(
      'EGRESS_ADDRESS_FORBIDDEN',
      `${name} leads to ${seen.join(', ')}, and the parent goes to no private address unasked`,
      {
        advice: `where it is a VPC endpoint of yours, name its subnet: ${suggestNetworks(seen[0] ?? '')}`,
        command: `sudoedit ${quote(context.configPath)} && sudo systemctl reload holdfast-parent`,
      },
    );
  }
  const finding = await reach(target, first, context);
  const isPrivate = isIP(target.host) === 0 && !isAddressAllowed(first.address, undefined);
  if (finding.status !== 'ok' || !isPrivate || target.connectTo !== undefined) return finding;
  return ok(`${finding.text}; at ${first.address}, a private address that "networks" opens`);
}

/** Suggests a /24 that holds the address: only the operator knows the real subnet. */
function suggestNetworks(address: string): string {
  const block = isIP(address) === 6 ? `${address}/64` : `${address}/24`;
  return `"networks: [${block}]" at this target or for all of egress, or "--network ${block}" for holdfast-vsock-proxy`;
}

async function reach(
  target: EgressTarget,
  to: { address: string; port: number },
  context: CheckContext,
): Promise<CheckResult> {
  const name = `${target.host}:${target.port}`;
  try {
    await context.host.connect(to, context.signal);
  } catch (error) {
    return fail(
      'EGRESS_UNREACHABLE',
      `${name}: no connection to ${to.address} (${context.signal.aborted ? 'no answer' : errnoOf(error)})`,
      {
        advice:
          "let the instance's security group and subnet out to port 443: a NAT gateway or a VPC endpoint",
        command: `nc -vz -w 5 ${to.address} ${to.port}`,
      },
    );
  }
  if (!/^kms\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(target.host)) return ok(`${name} is reached`);
  try {
    await context.host.askDate({ name: target.host, ...to, roots: amazonTrustRoots() }, context.signal);
    return ok(`${name} is reached, and has a certificate that the enclave will take`);
  } catch (error) {
    const report = context.signal.aborted ? warn : fail;
    return report(
      'EGRESS_TLS_UNTRUSTED',
      `${name} is reached, and is not KMS to the enclave (${errnoOf(error)})`,
      {
        advice:
          'something between this host and AWS answers in its place: a proxy that opens TLS, or a wrong DNS answer',
        command: `openssl s_client -connect ${to.address}:${to.port} -servername ${quote(target.host)} </dev/null | openssl x509 -noout -issuer`,
      },
    );
  }
}

/** Finds the addresses, and the port, of a connection to a target. */
export async function dialTarget(
  target: Pick<EgressTarget, 'host' | 'port'> & {
    readonly connectTo?: EgressTarget['connectTo'] | undefined;
  },
  { host, config, signal }: CheckContext,
): Promise<readonly { address: string; port: number }[]> {
  if (target.connectTo !== undefined) return [target.connectTo];
  const { port } = target;
  if (isIP(target.host) !== 0) return [{ address: target.host, port }];
  const addresses = await host.lookUp(target.host, config?.egress.family ?? 'any', signal);
  return addresses.map((address) => ({ address, port }));
}

const portsCheck: Check = {
  part: 'network',
  title: 'ports',
  needs: ['config'],
  async run(context) {
    const { ingress, status, peers } = configOf(context);
    const wanted = [
      ...(ingress === undefined ? [] : [{ what: 'clients', ...ingress.listen }]),
      ...(status === undefined ? [] : [{ what: 'status', ...status.listen }]),
      ...(peers?.listen === undefined ? [] : [{ what: 'other nodes', ...peers.listen }]),
    ];
    const findings: CheckResult[] = [];
    for (const at of wanted) findings.push(...(await checkPort(at, context)));
    return findings.length > 0
      ? findings
      : [ok(wanted.length === 0 ? 'none is asked for' : 'free, or ours already')];
  },
};

async function checkPort(
  { what, host: address, port }: { what: string; host: string; port: number },
  context: CheckContext,
): Promise<CheckResult[]> {
  const first = Number(
    await readText(context.host, '/proc/sys/net/ipv4/ip_unprivileged_port_start').catch(() => '1024'),
  );
  if (port !== 0 && port < first) {
    return [
      fail(
        'PORT_PRIVILEGED',
        `port ${port} (${what}) is not for a service without capabilities: those begin at ${first}`,
        {
          advice: 'take a higher port behind a load balancer, or let the numbers begin lower',
          command: `echo net.ipv4.ip_unprivileged_port_start=${port} | sudo tee /etc/sysctl.d/60-holdfast.conf && sudo sysctl --system`,
        },
      ),
    ];
  }
  try {
    await context.host.bind({ host: address, port });
    return [];
  } catch (error) {
    if (await isOurs(context)) return [];
    return [
      fail('PORT_TAKEN', `${address}:${port} (${what}) cannot be had (${errnoOf(error)})`, {
        advice: 'find out who has it',
        command: `sudo ss -ltnp 'sport = :${port}'`,
      }),
    ];
  }
}

/** Tells whether a parent runs, under systemd or by hand: its ports are then taken rightly. */
async function isOurs(context: CheckContext): Promise<boolean> {
  const { host, signal } = context;
  try {
    const { stdout } = await host.run('systemctl', ['is-active', 'holdfast-parent.service'], signal);
    if (stdout.trim() === 'active') return true;
  } catch {
    // A machine without systemd has no unit to ask for.
  }
  const { status } = configOf(context);
  if (status === undefined) return false;
  try {
    const { body } = await host.get({ ...status.listen, path: '/healthz' }, signal);
    return body.trim() === '{"healthy":true}';
  } catch {
    return false;
  }
}

export const egressChecks: readonly Check[] = [kmsCheck, targetsCheck, portsCheck];
