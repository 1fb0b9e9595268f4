import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import type { ParentConfig } from '../../config/schema.ts';
import { type Check, type CheckContext, configOf } from './check.ts';
import { type CheckResult, fail, ok, quote, skip, warn } from './check-result.ts';
import { errnoOf } from './host.ts';

const DAY_MS = 86_400_000;
const EXPIRES_SOON_MS = 14 * DAY_MS;

type PeersConfig = NonNullable<ParentConfig['peers']>;

/** Schema of the parent's status page, as far as the check reads the page. */
const statusSchema = z.object({
  peers: z.object({
    peers: z.array(z.object({ node: z.number(), isConnected: z.boolean(), outcome: z.string().nullable() })),
  }),
});

/** Check whether parent.yaml says of this node what its manifest says. */
const nodeCheck: Check = {
  part: 'files',
  title: 'number among the nodes',
  needs: ['config'],
  async run(context) {
    const { peers, artifacts } = configOf(context);
    if (peers === undefined || artifacts.manifest.type !== 'file') return [];
    let manifest;
    try {
      manifest = parseManifest(await context.host.read(artifacts.manifest.file));
    } catch {
      // The check of the manifest reports one that cannot be read.
      return [];
    }
    const { node, namespace, environment } = manifest;
    const mend = { advice: 'write what the manifest says into peers of parent.yaml' };
    const { nats } = peers;
    if (peers.node !== node) {
      return [fail('PEERS_OTHER_NODE', `peers.node is ${peers.node}, the manifest is of node ${node}`, mend)];
    }
    if (nats !== undefined && (nats.namespace !== namespace || nats.environment !== environment)) {
      const found = `${nats.namespace}/${nats.environment}`;
      return [
        fail(
          'PEERS_OTHER_NODE',
          `peers.nats is of ${found}, the manifest of ${namespace}/${environment}`,
          mend,
        ),
      ];
    }
    return [ok(`node ${node}, with ${peers.nodes.length} others`)];
  },
};

/** Check of the certificate that is shown to the parents of other nodes, or to NATS. */
const certificateCheck: Check = {
  part: 'files',
  title: 'certificate for other nodes',
  needs: ['config'],
  async run(context) {
    const { peers } = configOf(context);
    const nats = peers?.nats;
    if (nats?.identity !== undefined) {
      return [skip('NOT_APPLICABLE', `it is the secret ${nats.identity.name}: see the parent's status`)];
    }
    const files =
      nats === undefined ? peers?.tls : { ...nats, certificate: nats.certificate ?? '', key: nats.key ?? '' };
    if (files === undefined) return [];
    const { host } = context;
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(await host.read(files.certificate));
      await host.stat(files.key);
      await host.stat(files.ca);
    } catch (error) {
      return [
        fail(
          'PEERS_CERTIFICATE',
          `certificate, key or authority for other nodes cannot be used (${errnoOf(error)})`,
          {
            advice: 'put the PEM files where peers in parent.yaml says; docs/peers.md has an example',
            command: `ls -l ${[files.ca, files.certificate, files.key].map(quote).join(' ')}`,
          },
        ),
      ];
    }
    const leftMs = certificate.validToDate.getTime() - host.clock();
    const mend = { advice: 'put new files in their place: the parent reads them within ten seconds' };
    if (leftMs <= 0) return [fail('PEERS_CERTIFICATE_EXPIRES', `${files.certificate} has expired`, mend)];
    const days = Math.floor(leftMs / DAY_MS);
    if (leftMs < EXPIRES_SOON_MS)
      return [warn('PEERS_CERTIFICATE_EXPIRES', `${files.certificate} expires in ${days} days`, mend)];
    return [ok(`good for ${days} days`)];
  },
};

/** Check whether something listens where the parents of other nodes, or the servers of NATS, are said to be. */
const reachCheck: Check = {
  part: 'network',
  title: 'other nodes',
  needs: ['config', 'network'],
  deadlineMs: 15_000,
  async run(context) {
    const { peers } = configOf(context);
    if (peers === undefined) return [];
    const findings = (await Promise.all(endpointsOf(peers).map((at) => tryEndpoint(at, context)))).flat();
    return findings.length > 0 ? findings : [ok('something listens at each address')];
  },
};

interface Endpoint {
  readonly what: string;
  readonly host: string;
  readonly port: number;
}

function endpointsOf({ nodes, nats }: PeersConfig): readonly Endpoint[] {
  if (nats !== undefined) {
    return nats.servers.map((url) => {
      const { hostname, port } = new URL(url);
      return { what: 'NATS server', host: hostname, port: Number(port) };
    });
  }
  return nodes.flatMap(({ node, address }) =>
    address === undefined ? [] : [{ what: `node ${node}`, ...address }],
  );
}

async function tryEndpoint(
  { what, host: name, port }: Endpoint,
  context: CheckContext,
): Promise<CheckResult[]> {
  const { host, signal } = context;
  let failure = 'no address';
  try {
    for (const address of await host.lookUp(name, 'any', signal)) {
      try {
        await host.connect({ address, port }, signal);
        return [];
      } catch (error) {
        failure = errnoOf(error);
      }
    }
  } catch (error) {
    failure = errnoOf(error);
  }
  return [
    warn('PEERS_UNREACHABLE', `${what} at ${name}:${port} cannot be reached (${failure})`, {
      advice: 'look whether the other host is on, and at security groups and routes: docs/peers.md',
    }),
  ];
}

/** Check of what the running parent says of its connections. */
const linkCheck: Check = {
  part: 'service',
  title: 'connections with other nodes',
  needs: ['config'],
  async run(context) {
    const { status, peers } = configOf(context);
    if (peers === undefined || status === undefined) return [];
    let page: unknown;
    try {
      page = JSON.parse((await context.host.get({ ...status.listen, path: '/status' }, context.signal)).body);
    } catch {
      return [
        skip('NOT_APPLICABLE', 'the parent does not answer, so that other nodes cannot be asked after'),
      ];
    }
    const parsed = statusSchema.safeParse(page);
    if (!parsed.success)
      return [skip('NOT_APPLICABLE', 'what answers at status.listen does not know of other nodes')];
    const missing = parsed.data.peers.peers.filter(({ isConnected }) => !isConnected);
    if (missing.length === 0) return [ok(`connected with all ${parsed.data.peers.peers.length}`)];
    return missing.map(({ node, outcome }) =>
      warn('PEERS_NOT_CONNECTED', `node ${node} is not connected: ${outcome ?? 'not tried yet'}`, {
        advice: 'docs/parent-alerts.md, HoldfastPeerUnreachable; the word says more',
        command: `/opt/holdfast/bin/holdfast explain ${outcome ?? 'PEERS_NOT_CONNECTED'}`,
      }),
    );
  },
};

export const peerChecks: readonly Check[] = [linkCheck, nodeCheck, certificateCheck, reachCheck];
