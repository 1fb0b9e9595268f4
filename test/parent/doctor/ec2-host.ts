import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import { formatPcrFile, MANIFEST_PCR, computeManifestPcr } from '../../../attestation/index.ts';
import type { FileFacts, Host, HttpResponse, ProgramResult } from '../../../parent/doctor/checks/host.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import {
  type ConfigurationDocument1,
  CONFIGURATION_FORMAT_1,
  CONFIGURATION_PAYLOAD_TYPE,
} from '../../../shared/documents/configuration.ts';
import { MANIFEST_FORMAT } from '../../../shared/documents/manifest.ts';

export const NOW = Date.parse('2026-11-22T03:00:00Z');
export const CONFIG = '/etc/holdfast/parent.yaml';
const KMS = 'kms.eu-central-1.amazonaws.com';
const NE_GID = 988;

/** State of a host that a test can change: everything that the host returns, by name. */
export interface Ec2Host {
  /** Files by path; a number is an errno that reading the file gives. */
  readonly files: Map<string, string | Uint8Array>;
  readonly facts: Map<string, Partial<FileFacts> & { readonly errno?: string }>;
  /** By program and arguments, separated by blanks; undefined for a program that is not there. */
  readonly programs: Map<string, ProgramResult>;
  readonly metadata: Map<string, HttpResponse>;
  readonly addresses: Map<string, readonly string[]>;
  readonly taken: Set<number>;
  readonly free: Map<string, number>;
  /** Methods in place of the host's own. */
  readonly methods: Partial<Host>;
}

const done = (stdout: string): ProgramResult => ({ status: 0, stdout, stderr: '' });
export const failed = (stderr: string): ProgramResult => ({ status: 1, stdout: '', stderr });
const given = (body: string): HttpResponse => ({ status: 200, body });
export const errno = (code: string) => Object.assign(new Error(code), { code });

/** The manifest of a node, a configuration that its authority has signed, and its pcr.json. */
export function makeNode(changes: Partial<ConfigurationDocument1> = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const manifest = Buffer.from(
    JSON.stringify({
      format: MANIFEST_FORMAT,
      namespace: 'acme',
      environment: 'production',
      node: 2,
      quorum: { size: 3, threshold: 2 },
      kms: {
        keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012',
        region: 'eu-central-1',
      },
      configurationAuthority: { threshold: 1, keys: [ed25519PublicKeyHex(publicKey)] },
      emergencyRecovery: { publicKey: 'ab'.repeat(32) },
    }),
  );
  const pcrs = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
  return {
    manifest,
    configuration: signConfiguration(manifest, privateKey, changes),
    pcrs: formatPcrFile(new Map([...pcrs, [MANIFEST_PCR, computeManifestPcr(manifest)]])),
    pcrsWithoutManifest: formatPcrFile(pcrs),
  };
}

function signConfiguration(
  manifest: Uint8Array,
  key: KeyObject,
  changes: Partial<ConfigurationDocument1>,
): string {
  const configuration: ConfigurationDocument1 = {
    format: CONFIGURATION_FORMAT_1,
    version: 1,
    manifest: createHash('sha384').update(manifest).digest('hex'),
    clients: [],
    keys: [],
    rules: [],
    ...changes,
  };
  const payload = Buffer.from(JSON.stringify(configuration));
  return JSON.stringify(signEnvelope(createEnvelope(CONFIGURATION_PAYLOAD_TYPE, payload), key));
}

export const PARENT_YAML = `
enclave: { cid: 16, image: /etc/holdfast/enclave.eif, pcrs: /etc/holdfast/pcr.json, cpus: 2, memoryMiB: 1024 }
region: eu-central-1
artifacts:
  manifest: /etc/holdfast/manifest.json
  configuration: /etc/holdfast/configuration.json
  secrets: secretsmanager:acme/production/node-2/
  copies: /var/lib/holdfast/copies
store: { sqlite: /var/lib/holdfast/records.sqlite }
egress: { allowlist: [{ host: ${KMS}, port: 443 }] }
ingress: { listen: "0.0.0.0:8443" }
status: { listen: "127.0.0.1:9464" }
`;

const CPUS = '/sys/devices/system/cpu';
const PAGES = '/sys/devices/system/node/node0/hugepages';

/**
 * An m6i.xlarge with Amazon Linux 2023, nitro-cli and a running parent: every file and every output in the shape that
 * the kernel, systemd, nitro-cli and the metadata service give it. A test breaks one thing of it.
 */
export function createEc2Host(): Ec2Host {
  const node = makeNode();
  return {
    files: new Map<string, string | Uint8Array>([
      ['/sys/class/dmi/id/sys_vendor', 'Amazon EC2\n'],
      ['/sys/class/dmi/id/product_name', 'm6i.xlarge\n'],
      ['/sys/class/dmi/id/board_asset_tag', 'i-05f6ed443ae43fe45\n'],
      ['/etc/group', `root:x:0:\nwheel:x:10:ec2-user\nne:x:${NE_GID}:ec2-user\n`],
      ['/dev/nitro_enclaves', ''],
      ['/dev/vsock', ''],
      ['/sys/module/vmw_vsock_virtio_transport/refcnt', '1\n'],
      ['/sys/module/nitro_enclaves/parameters/ne_cpus', '1,3\n'],
      ['/sys/bus/pci/devices/0000:00:02.0/vendor', '0x1d0f\n'],
      ['/sys/bus/pci/devices/0000:00:02.0/device', '0xe4c1\n'],
      [`${CPUS}/present`, '0-3\n'],
      [`${CPUS}/online`, '0,2\n'],
      [`${CPUS}/cpu0/topology/thread_siblings_list`, '0,2\n'],
      [`${PAGES}/hugepages-1048576kB/nr_hugepages`, '1\n'],
      [`${PAGES}/hugepages-1048576kB/free_hugepages`, '0\n'],
      [`${PAGES}/hugepages-2048kB/nr_hugepages`, '0\n'],
      [`${PAGES}/hugepages-2048kB/free_hugepages`, '0\n'],
      [
        '/etc/nitro_enclaves/allocator.yaml',
        '---\n# Enclave configuration file.\n#\nmemory_mib: 1024\n#\ncpu_count: 2\n# cpu_pool: 2,3,6-9\n',
      ],
      [CONFIG, PARENT_YAML],
      ['/etc/holdfast/enclave.eif', ''],
      ['/etc/holdfast/pcr.json', node.pcrs],
      ['/etc/holdfast/manifest.json', node.manifest],
      ['/etc/holdfast/configuration.json', node.configuration],
      ['/var/lib/holdfast/records.sqlite', ''],
      [
        '/proc/meminfo',
        'MemTotal:       15906988 kB\nMemFree:        13422120 kB\nMemAvailable:   14056232 kB\n',
      ],
      ['/proc/swaps', 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'],
      ['/proc/sys/net/ipv4/ip_unprivileged_port_start', '1024\n'],
      [
        'status page',
        '{"node":{"phase":"serving","code":null,"since":1},"enclave":{"cid":16,"state":"running"},"connections":{"egress":0,"ingress":0}}',
      ],
    ]),
    facts: new Map<string, Partial<FileFacts>>([
      ['/dev/nitro_enclaves', { kind: 'other', mode: 0o660, gid: NE_GID }],
      ['/dev/vsock', { kind: 'other', mode: 0o666 }],
      ['/etc/holdfast/enclave.eif', { size: 43 * 1024 * 1024 }],
      ['/var/lib/holdfast', { kind: 'folder', mode: 0o700, uid: 61_234, gid: 61_234 }],
      ['/tmp', { kind: 'folder', mode: 0o1777 }],
    ]),
    programs: new Map([
      ['nitro-cli --version', done('Nitro CLI 1.4.4\n')],
      [
        'nitro-cli describe-enclaves',
        done(
          JSON.stringify([
            {
              EnclaveID: 'i-05f6ed443ae43fe45-enc173dfe3eb99d811',
              EnclaveCID: 16,
              State: 'RUNNING',
              Flags: 'NONE',
            },
          ]),
        ),
      ],
      [
        'systemctl show nitro-enclaves-allocator.service --no-pager --property=ActiveState --property=UnitFileState',
        done('ActiveState=active\nUnitFileState=enabled\n'),
      ],
      [
        'systemctl show holdfast-parent.service --no-pager --property=LoadState --property=ActiveState --property=UnitFileState --property=DropInPaths --property=Result',
        done(
          'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nDropInPaths=/etc/systemd/system/holdfast-parent.service.d/enclave.conf\nResult=success\n',
        ),
      ],
      ['systemctl show holdfast-parent.service --no-pager --property=DynamicUser', done('DynamicUser=yes\n')],
      [
        'systemctl show holdfast-parent.service --no-pager --property=LoadState --property=LimitNOFILE',
        done('LoadState=loaded\nLimitNOFILE=65536\n'),
      ],
      ['systemctl is-active holdfast-parent.service', done('active\n')],
      ['timedatectl show --property=NTPSynchronized', done('NTPSynchronized=yes\n')],
    ]),
    metadata: new Map([
      ['PUT /latest/api/token', given('AQAEAtoken==')],
      ['GET /latest/meta-data/placement/region token', given('eu-central-1')],
      ['GET /latest/meta-data/iam/security-credentials/ token', given('holdfast-node-2')],
      ['GET /latest/meta-data/instance-id', { status: 401, body: '' }],
    ]),
    addresses: new Map([[KMS, ['52.94.205.1']]]),
    taken: new Set([8443, 9464]),
    free: new Map([['/var/lib/holdfast', 20 * 1024 ** 3]]),
    methods: {},
  };
}

/** Makes a host of a state. */
export function asHost(state: Ec2Host): Host {
  const { files, facts, programs, metadata, addresses, taken, free } = state;
  const folders = () => new Set([...files.keys()].flatMap((path) => parentsOf(path)));
  return {
    uid: 0,
    nodeVersion: '26.10.0',
    clock: () => NOW,
    async read(path) {
      const { errno: code } = facts.get(path) ?? {};
      if (code !== undefined) throw errno(code);
      const content = files.get(path);
      if (content === undefined) throw errno('ENOENT');
      return Buffer.from(content);
    },
    async list(path) {
      const below = [...files.keys()].filter((name) => name.startsWith(`${path}/`));
      if (below.length === 0) throw errno('ENOENT');
      return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] ?? ''))];
    },
    async stat(path) {
      const { errno: code, ...known } = facts.get(path) ?? {};
      if (code !== undefined) throw errno(code);
      const isFolder = folders().has(path);
      if (!files.has(path) && !isFolder) throw errno('ENOENT');
      const size = Buffer.byteLength(files.get(path) ?? '');
      const kind = isFolder ? ('folder' as const) : ('file' as const);
      return { kind, mode: isFolder ? 0o755 : 0o644, uid: 0, gid: 0, size, ...known };
    },
    async freeBytes(path) {
      const bytes = free.get(path);
      if (bytes === undefined) throw errno('ENOENT');
      return bytes;
    },
    async run(program, args) {
      const result = programs.get([program, ...args].join(' '));
      if (result === undefined) throw errno('ENOENT');
      return result;
    },
    async askMetadata({ method, path, token }) {
      const answer = metadata.get(`${method} ${path}${token === undefined ? '' : ' token'}`);
      if (answer === undefined) throw errno('EHOSTUNREACH');
      return answer;
    },
    async get({ port, path }) {
      const page = path === '/healthz' ? 'health page' : 'status page';
      const body = port === 9464 ? state.files.get(page) : undefined;
      if (body === undefined) throw errno('ECONNREFUSED');
      return { status: 200, body: body.toString() };
    },
    async lookUp(name) {
      const found = addresses.get(name);
      if (found === undefined) throw errno('ENOTFOUND');
      return found;
    },
    async connect() {},
    askDate: () => Promise.resolve(new Date(NOW).toUTCString()),
    async bind({ port }) {
      if (taken.has(port)) throw errno('EADDRINUSE');
    },
    async loadAddon() {},
    async verifyImage() {},
    credentialsExpiration: () => Promise.resolve(NOW + 5 * 3_600_000),
    ...state.methods,
  };
}

function parentsOf(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...parentsOf(above)];
}
