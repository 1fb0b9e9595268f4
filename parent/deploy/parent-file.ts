import { stringify } from 'yaml';
import { ParentOptionError } from '../common/errors.ts';
import { parseParentConfig } from '../config/parse.ts';
import type { ParentConfig } from '../config/schema.ts';
import type { Deployment } from '../../shared/deployment/index.ts';
import { DeployError } from './errors.ts';
import type { HostSettings } from './host-settings.ts';
import { deploymentPath, type HostLayout, statePaths } from './layout.ts';

/** First line of a parent.yaml that a deployment has made. */
const MARK = '# holdfast deployment ';
const MARK_LINE = /^# holdfast deployment ([0-9a-f]{64})\n/;

/** Reads which deployment has made a parent.yaml; undefined for one that a person wrote. */
export function readMark(text: string): string | undefined {
  return MARK_LINE.exec(text)?.[1];
}

/** parent.yaml of one deployment on one host, as text and as the parent reads it. */
export interface ParentFile {
  readonly text: string;
  readonly config: ParentConfig;
}

/** Renders parent.yaml, and reads it as the parent will. @throws DeployError DEPLOYMENT_SETTINGS_INVALID */
export function renderParentFile(
  id: string,
  { parent, nonce }: Deployment,
  settings: HostSettings,
  layout: HostLayout,
): ParentFile {
  const paths = statePaths(layout);
  const { address } = settings;
  const value = {
    enclave: {
      cid: settings.cid,
      image: deploymentPath(layout, id, 'enclave.eif'),
      pcrs: deploymentPath(layout, id, 'pcr.json'),
      ...parent.enclave,
    },
    transport: settings.transport,
    region: parent.region,
    artifacts: {
      manifest: deploymentPath(layout, id, 'manifest.json'),
      configuration: deploymentPath(layout, id, 'configuration.json'),
      secrets: parent.secrets ?? paths.secrets,
      copies: paths.copies,
      admission: paths.admission,
      ...(nonce === null ? {} : { nonce: deploymentPath(layout, id, 'nonce') }),
    },
    store: parent.postgres === null ? { sqlite: paths.store } : postgresStore(parent.postgres),
    identity: paths.identity,
    egress: connectEgress(parent.egress, settings),
    ...narrow(
      { ingress: parent.ingress, peers: parent.peers, approvals: parent.approvals, witness: parent.witness },
      address,
    ),
    status: { listen: settings.status },
    auditLog: { ...asObject(parent.auditLog ?? {}, 'auditLog'), directory: paths.log },
    log: parent.log,
  };
  const text = `${MARK}${id}\n# Written by "holdfast parent deploy"; the next deployment replaces it.\n${stringify(value)}`;
  try {
    return { text, config: parseParentConfig(text) };
  } catch (error) {
    if (!(error instanceof ParentOptionError)) throw error;
    throw new DeployError(
      'DEPLOYMENT_SETTINGS_INVALID',
      'deployment.json and host.yaml make no parent.yaml',
      error.details,
      error,
    );
  }
}

function postgresStore({ node, ...postgres }: NonNullable<Deployment['parent']['postgres']>) {
  return { postgres, node };
}

/** Leaves out the parts that are null, and narrows what listens at all addresses to the one of this host. */
function narrow(parts: Readonly<Record<string, unknown>>, address: string | undefined) {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) => {
      if (part === null) return [];
      const object = asObject(part, name);
      const { listen } = object;
      if (address === undefined || typeof listen !== 'string') return [[name, object]];
      return [[name, { ...object, listen: listen.replace(/^0\.0\.0\.0:/, `${bracket(address)}:`) }]];
    }),
  );
}

/** Adds what the host knows of the way to targets: networks, and addresses in place of a look-up. */
function connectEgress(egress: unknown, { networks, connectTo }: HostSettings) {
  const { allowlist, networks: own, ...rest } = asObject(egress, 'egress');
  const targets = asList(allowlist ?? [], 'egress.allowlist').map((target) => {
    const object = asObject(target, 'egress.allowlist');
    const way = connectTo.find(({ host, port }) => host === object['host'] && port === object['port']);
    return way === undefined ? object : { ...object, connectTo: { address: way.address, port: way.to } };
  });
  return { ...rest, allowlist: targets, networks: [...asList(own ?? [], 'egress.networks'), ...networks] };
}

function bracket(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function asObject(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new DeployError('DEPLOYMENT_SETTINGS_INVALID', 'expected an object', { field });
}

function asList(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new DeployError('DEPLOYMENT_SETTINGS_INVALID', 'expected a list', { field });
}
