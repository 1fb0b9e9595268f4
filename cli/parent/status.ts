import { z } from 'zod';
import { nodePhaseSchema } from '../../shared/protocol/control.ts';
import { printable } from '../common/printable.ts';

/** Schema of the parent's status page, as far as the command shows it. */
export const parentStatusSchema = z.object({
  node: z.object({ phase: nodePhaseSchema, code: z.string().nullable(), since: z.number() }).nullable(),
  enclave: z.object({
    cid: z.number(),
    state: z.enum(['starting', 'running', 'silent', 'waiting', 'halted', 'stopped']).optional(),
    code: z.string().optional(),
    until: z.number().optional(),
    endsInARow: z.number().optional(),
  }),
  ingress: z.object({ host: z.string(), port: z.number() }).optional(),
  connections: z.object({ egress: z.number(), ingress: z.number() }),
  credentialsExpiration: z.number().nullable(),
  /** Left out where the node has no way to others. */
  peers: z
    .object({
      carrier: z.enum(['direct', 'nats']),
      enclave: z.boolean(),
      certificateExpiration: z.number().nullable(),
      peers: z.array(
        z.object({
          node: z.number(),
          isConnected: z.boolean(),
          heardAt: z.number().nullable(),
          outcome: z.string().nullable(),
          session: z.string().nullable(),
          code: z.string().nullable(),
        }),
      ),
    })
    .optional(),
  /** Left out by parents of versions without a log. */
  auditLog: z
    .object({
      origin: z.string().nullable(),
      key: z.string().nullable(),
      size: z.number(),
      published: z.number(),
      hasGap: z.boolean(),
      wanted: z.number(),
      cosigned: z.number(),
      witnesses: z.array(z.object({ name: z.string(), size: z.number(), refusal: z.string().nullable() })),
    })
    .optional(),
});
export type ParentStatus = z.infer<typeof parentStatusSchema>;

/** Formats a few lines that say first whether the node works, then why not, then what to do. */
export function formatParentStatus(status: ParentStatus, now: number): string {
  const { node, enclave, connections, ingress } = status;
  return [
    `node        ${describeNode(status, now)}`,
    ...(enclave.state === undefined ? [] : [`enclave     ${describeEnclave(enclave, now)}`]),
    `clients     ${ingress === undefined ? 'not let in' : `${connections.ingress} connected at ${ingress.host}:${ingress.port}`}`,
    `outside     ${connections.egress} connections of the enclave`,
    ...describeCredentials(status.credentialsExpiration, now),
    ...describePeers(status.peers, now),
    ...describeLog(status.auditLog),
    ...(node?.phase === 'serving' ? [] : [`what to do  ${advise(status)}`]),
  ]
    .map(printable)
    .join('\n');
}

function describeNode({ node }: ParentStatus, now: number): string {
  if (node === null) return 'has not said anything yet';
  const since = `for ${formatDuration(now - node.since)}`;
  if (node.phase === 'serving') return `serves, ${since}${node.code === null ? '' : `; ${node.code}`}`;
  if (node.phase === 'failed') return `failed with ${node.code ?? 'no code'}, ${since}`;
  return `${node.phase}, ${since}`;
}

function describeEnclave(enclave: ParentStatus['enclave'], now: number): string {
  const { cid, state, code, until, endsInARow = 1 } = enclave;
  const at = `(CID ${cid})`;
  if (state === 'waiting') {
    const ended = isNitroCode(code) ? 'did not start' : 'ended';
    const times = endsInARow > 1 ? `, ${endsInARow} times in a row` : '';
    return `${ended} with ${code ?? 'no code'}${times}, starts again in ${formatDuration((until ?? now) - now)} ${at}`;
  }
  if (state === 'halted') return `halted with ${code ?? 'no code'}: it would end the same way again ${at}`;
  if (state === 'silent') return `runs and says nothing: it hangs, or cannot reach its parent ${at}`;
  return `${state ?? 'unknown'} ${at}`;
}

function describePeers(peers: ParentStatus['peers'], now: number): string[] {
  if (peers === undefined) return [];
  const { carrier, enclave, certificateExpiration } = peers;
  const way = carrier === 'nats' ? 'by NATS' : 'by TCP';
  return [
    ...peers.peers.map(({ node, isConnected, heardAt, outcome, session, code }) => {
      const link = isConnected ? `connected ${way}` : `NOT connected ${way}, ${outcome ?? 'not tried yet'}`;
      const heard = heardAt === null ? 'never heard' : `heard ${formatDuration(now - heardAt)} ago`;
      const said = session === null ? '' : `; its enclave: ${session}${code === null ? '' : `, ${code}`}`;
      return `peer ${node}`.padEnd(12) + `${link}, ${heard}${said}`;
    }),
    ...(enclave ? [] : ['peers       the enclave of this node is not connected for them']),
    ...(certificateExpiration === null
      ? []
      : certificateExpiration > now
        ? [`peers       certificate good for ${formatDuration(certificateExpiration - now)}`]
        : [`peers       certificate EXPIRED ${formatDuration(now - certificateExpiration)} ago`]),
  ];
}

function describeLog(log: ParentStatus['auditLog']): string[] {
  if (log === undefined || log.origin === null) return [];
  const { origin, key, size, published, hasGap, wanted, cosigned, witnesses } = log;
  const cosigners =
    wanted === 0 ? 'no witnesses wanted' : `${cosigned} of ${wanted} witnesses wanted have cosigned`;
  return [
    `log         ${size} entries, ${published} published, ${cosigners}`,
    ...(hasGap ? ['            ENTRIES ARE MISSING from its folder: put the folder back'] : []),
    `            origin ${origin}`,
    `            key    ${key ?? 'unknown'}`,
    ...witnesses.map(
      (one) => `witness     ${one.name}: ${one.refusal ?? `has cosigned ${one.size} entries`}`,
    ),
  ];
}

function describeCredentials(expiration: number | null, now: number): string[] {
  if (expiration === null) return [];
  return expiration > now
    ? [`credentials good for ${formatDuration(expiration - now)}`]
    : [`credentials EXPIRED ${formatDuration(now - expiration)} ago`];
}

function advise({ node, enclave }: ParentStatus): string {
  if (enclave.state === 'halted') {
    return `${lookUp(enclave.code)}, mend it, then "systemctl restart holdfast-parent"`;
  }
  if (enclave.state === 'waiting') {
    return passesByItself(enclave) ? 'nothing yet: it starts again by itself' : lookUp(enclave.code);
  }
  if (node === null) return 'is the enclave running? "nitro-cli describe-enclaves" lists it';
  if (node.phase === 'failed') return `look ${node.code ?? 'the code'} up in docs/parent-alerts.md`;
  if (node.phase === 'witnessing') {
    return 'wait for the witnesses, or give the operator of one that says UNKNOWN_LOG the origin and key above';
  }
  return 'wait: it is on its way';
}

/** Count of equal ends in a row, after some seven seconds, from which the next start is no longer likely to go well. */
const MAX_ENDS_OF_CHANCE = 3;

/** Tells whether the reason of an end may be gone at the next start. */
function passesByItself({ code, endsInARow = 1 }: ParentStatus['enclave']): boolean {
  return code !== 'NITRO_CLI_MISSING' && endsInARow <= MAX_ENDS_OF_CHANCE;
}

function isNitroCode(code: string | undefined): boolean {
  return code?.startsWith('NITRO_') === true;
}

/** Sentence on where a code is explained. */
function lookUp(code: string | undefined): string {
  if (code === 'NITRO_CLI_MISSING') {
    return 'look for nitro-cli, which is not on the path of the service: "sudo dnf install -y aws-nitro-enclaves-cli"';
  }
  const nitro = /^NITRO_(E[0-9]{2})$/.exec(code ?? '')?.[1];
  if (nitro !== undefined) {
    return `look ${nitro} up with "nitro-cli explain --error-code ${nitro}"; the newest file in /var/log/nitro_enclaves says more`;
  }
  if (isNitroCode(code)) {
    return 'look at what "nitro-cli describe-enclaves" says as root, and at the newest file in /var/log/nitro_enclaves';
  }
  return `look ${code ?? 'the code'} up in docs/parent-alerts.md`;
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
