import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FINDING_CODES, type CheckCode, quote } from '../../../parent/doctor/checks/check-result.ts';
import { runDoctor } from '../../../parent/doctor/index.ts';
import { EnclaveError } from '../../../parent/lifecycle/errors.ts';
import { issueCertificate } from '../../../shared/x509/certificate.ts';
import { TransportError } from '../../../shared/transport/errors.ts';
import {
  asHost,
  CONFIG,
  createEc2Host,
  type Ec2Host,
  errno,
  failed,
  makeNode,
  NOW,
  PARENT_YAML,
} from './ec2-host.ts';

const PAGES = '/sys/devices/system/node/node0/hugepages/hugepages-1048576kB';
const ALLOCATOR = '/etc/nitro_enclaves/allocator.yaml';
const KMS = 'kms.eu-central-1.amazonaws.com';

async function examine(change: (host: Ec2Host) => void = () => {}, options: { offline?: boolean } = {}) {
  const state = createEc2Host();
  change(state);
  const host = asHost(state);
  const { findings, isEnclaveHost } = await runDoctor({
    host,
    configPath: CONFIG,
    configIsNamed: true,
    offline: options.offline ?? false,
  });
  return { findings, isEnclaveHost };
}

/** The status of every finding but those that are in order, by code. */
async function notInOrder(change?: (host: Ec2Host) => void, options?: { offline?: boolean }) {
  const { findings } = await examine(change, options);
  return findings.flatMap((finding) =>
    finding.status === 'ok' ? [] : [`${finding.status} ${finding.code}`],
  );
}

const setFile = (path: string, text: string) => (host: Ec2Host) => void host.files.set(path, text);
const setYaml = (edit: (yaml: string) => string) => setFile(CONFIG, edit(PARENT_YAML));
const PASSWORD_FILE = '/etc/holdfast/postgres-url';
const setPasswordFile = (mode: number) => (host: Ec2Host) => {
  setYaml((yaml) =>
    yaml.replace(/^store: .*$/m, `store: { postgres: { urlFile: ${PASSWORD_FILE} }, node: acme }`),
  )(host);
  host.files.set(PASSWORD_FILE, '');
  host.facts.set(PASSWORD_FILE, { mode });
};
const ALLOW_LIST = '/etc/nitro_enclaves/vsock-proxy.yaml';
function setAllowListFile(text: string): (host: Ec2Host) => void {
  return (host) => {
    setYaml((yaml) => yaml.replace(/^egress: .*$/m, `egress: { allowlistFile: ${ALLOW_LIST} }`))(host);
    setFile(ALLOW_LIST, text)(host);
  };
}
/** A node with a way to others. */
const setPeers =
  (peers: string, then: (host: Ec2Host) => void = () => {}) =>
  (host: Ec2Host) => {
    setYaml((yaml) => `${yaml}\npeers: {${peers}}`)(host);
    then(host);
  };
/** A certificate for other nodes that is good for thirty days until then. */
const certificateUntil = (end: number) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { name: 'peers', privateKey };
  const [notBefore, notAfter] = [new Date(end - 86_400_000 * 30), new Date(end)];
  return issueCertificate({ subject: 'peers', publicKey, issuer, notBefore, notAfter, names: ['node-2'] });
};
/** A parent that shows the log of a node that serves, in a state that a test changes. */
const setLog = (change: object) => (host: Ec2Host) => {
  setYaml((yaml) => `${yaml}\nauditLog: { directory: /var/lib/holdfast/log }`)(host);
  const auditLog = { size: 7, hasGap: false, wanted: 0, cosigned: 0, witnesses: [], ...change };
  const status = { node: { phase: 'serving', code: null }, enclave: { cid: 16 }, auditLog };
  setFile('status page', JSON.stringify(status))(host);
};
const setMethod = (methods: Ec2Host['methods']) => (host: Ec2Host) =>
  void Object.assign(host.methods, methods);
const without = (path: string) => (host: Ec2Host) => void host.files.delete(path);
function setUnit(unit: string, change: (shown: string) => string) {
  return (host: Ec2Host) => {
    for (const [command, result] of host.programs) {
      if (!command.startsWith(`systemctl show ${unit}`)) continue;
      host.programs.set(command, { ...result, stdout: change(result.stdout) });
    }
  };
}
const setNode = (node: ReturnType<typeof makeNode>) => (host: Ec2Host) => {
  host.files.set('/etc/holdfast/manifest.json', node.manifest);
  host.files.set('/etc/holdfast/configuration.json', node.configuration);
  host.files.set('/etc/holdfast/pcr.json', node.pcrs);
};

it('finds a host in order on which a node serves', async () => {
  const { findings, isEnclaveHost } = await examine();
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(isEnclaveHost).toBe(true);
  expect(findings.length).toBeGreaterThan(25);
});

it('wants the KMS of the manifest’s partition on the allow-list', async () => {
  const host = 'kms.eusc-de-east-1.amazonaws.eu';
  const { manifest } = makeNode();
  const sovereign = Buffer.from(manifest)
    .toString()
    .replace('arn:aws:', 'arn:aws-eusc:')
    .replaceAll('eu-central-1', 'eusc-de-east-1');
  const kmsFindings = async (allowed: string) => {
    const { findings } = await examine((state) => {
      state.files.set('/etc/holdfast/manifest.json', sovereign);
      setYaml((yaml) => yaml.replaceAll(KMS, allowed))(state);
      state.addresses.set(allowed, ['52.94.205.9']);
    });
    return findings.find(({ text }) => text.startsWith('kms.'));
  };
  expect(await kmsFindings(host)).toMatchObject({ status: 'ok', text: host });
  expect(await kmsFindings(KMS)).toMatchObject({ status: 'fail', code: 'EGRESS_KMS_MISSING' });
});
/** A second NUMA node with this many huge pages of 1 GiB. */
function addNumaNode({ files }: Ec2Host, pages: number): void {
  const folder = '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB';
  for (const name of ['nr_hugepages', 'free_hugepages']) files.set(`${folder}/${name}`, `${pages}\n`);
}

/** One thing broken, and what is said of it. */
const BROKEN: readonly (readonly [CheckCode, 'warn' | 'fail', string, (host: Ec2Host) => void])[] = [
  [
    'INSTANCE_NOT_EC2',
    'fail',
    'a virtual machine elsewhere',
    setFile('/sys/class/dmi/id/sys_vendor', 'QEMU'),
  ],
  [
    'INSTANCE_NOT_EC2',
    'warn',
    'a laptop with Unix sockets',
    (host) => {
      setFile('/sys/class/dmi/id/sys_vendor', 'LENOVO')(host);
      setYaml((yaml) => `${yaml}\ntransport: { unix: /run/holdfast }`)(host);
    },
  ],
  [
    'INSTANCE_NOT_NITRO',
    'fail',
    'an instance of an older generation',
    (host) => {
      setFile('/sys/class/dmi/id/sys_vendor', 'Xen')(host);
      setFile('/sys/hypervisor/uuid', 'ec2e1916-9099-7caf-fd21-012345abcdef')(host);
    },
  ],
  ['IMDS_UNREACHABLE', 'fail', 'a metadata service that is switched off', ({ metadata }) => metadata.clear()],
  [
    'IMDS_V1_OPEN',
    'warn',
    'a metadata service that needs no token',
    ({ metadata }) => void metadata.set('GET /latest/meta-data/instance-id', { status: 200, body: 'i-05f6' }),
  ],
  [
    'ENCLAVES_DISABLED',
    'fail',
    'an instance that was started without enclaves',
    ({ files }) => {
      files.delete('/dev/nitro_enclaves');
      files.set('/sys/bus/pci/devices/0000:00:02.0/device', '0x8061\n');
    },
  ],
  ['NE_DRIVER_MISSING', 'fail', 'a kernel without the driver', without('/dev/nitro_enclaves')],
  [
    'DEVICE_PERMISSIONS',
    'fail',
    'a device of root alone',
    ({ facts }) => void facts.set('/dev/nitro_enclaves', { kind: 'other', mode: 0o600, gid: 0 }),
  ],
  [
    'DEVICE_PERMISSIONS',
    'fail',
    'a device for everybody',
    ({ facts }) => void facts.set('/dev/nitro_enclaves', { kind: 'other', mode: 0o666, gid: 988 }),
  ],
  ['DEVICE_PERMISSIONS', 'fail', 'a machine without the group', setFile('/etc/group', 'root:x:0:\n')],
  ['VSOCK_MISSING', 'fail', 'a kernel without vsock', without('/dev/vsock')],
  [
    'VSOCK_TRANSPORT_MISSING',
    'warn',
    'a kernel without the virtio transport',
    without('/sys/module/vmw_vsock_virtio_transport/refcnt'),
  ],
  [
    'VSOCK_VHOST_LOADED',
    'warn',
    'a host of virtual machines',
    setFile('/sys/module/vhost_vsock/refcnt', '0'),
  ],
  ['ALLOCATOR_MISSING', 'fail', 'no allocator', without(ALLOCATOR)],
  [
    'ALLOCATOR_MALFORMED',
    'fail',
    'an allocator file with an empty line',
    setFile(ALLOCATOR, '---\nmemory_mib: 1024\n\ncpu_count: 2\n'),
  ],
  [
    'ALLOCATOR_MALFORMED',
    'fail',
    'an allocator file without ---',
    setFile(ALLOCATOR, 'memory_mib: 1024\ncpu_count: 2\n'),
  ],
  [
    'ALLOCATOR_MALFORMED',
    'fail',
    'an allocator file with both kinds of CPUs',
    setFile(ALLOCATOR, '---\nmemory_mib: 1024\ncpu_count: 2\ncpu_pool: 1,3\n'),
  ],
  [
    'ALLOCATOR_MALFORMED',
    'fail',
    'an allocator file without a last line break',
    setFile(ALLOCATOR, '---\nmemory_mib: 1024\ncpu_count: 2'),
  ],
  [
    'ALLOCATOR_MEMORY_SHORT',
    'fail',
    'the memory that the package sets aside',
    setFile(ALLOCATOR, '---\nmemory_mib: 512\ncpu_count: 2\n'),
  ],
  [
    'ALLOCATOR_CPUS_SHORT',
    'fail',
    'a pool of one core less',
    setFile(ALLOCATOR, '---\nmemory_mib: 1024\ncpu_pool: 3\n'),
  ],
  [
    'ALLOCATOR_FAILED',
    'fail',
    'an allocator that failed',
    setUnit('nitro', (shown) => shown.replace('=active', '=failed')),
  ],
  [
    'ALLOCATOR_NOT_RUN',
    'fail',
    'an allocator that nobody started',
    setUnit('nitro', (shown) => shown.replace('=active', '=inactive')),
  ],
  [
    'ALLOCATOR_NOT_ENABLED',
    'warn',
    'an allocator that a reboot forgets',
    setUnit('nitro', (shown) => shown.replace('enabled', 'disabled')),
  ],
  ['HUGE_PAGES_SHORT', 'fail', 'memory that was not reserved', setFile(`${PAGES}/nr_hugepages`, '0')],
  [
    'HUGE_PAGES_SHORT',
    'fail',
    'memory on another NUMA node than the CPUs of the pool',
    (host) => {
      addNumaNode(host, 0);
      for (const cpu of [1, 3]) host.files.set(`/sys/devices/system/cpu/cpu${cpu}/node1/cpulist`, '');
    },
  ],
  [
    'HUGE_PAGES_SPREAD',
    'warn',
    'memory on one of two NUMA nodes, and CPUs of which nobody can say where they are',
    (host) => addNumaNode(host, 0),
  ],
  [
    'HUGE_PAGES_TAKEN',
    'warn',
    'huge pages that another program took',
    ({ programs }) =>
      void programs.set('nitro-cli describe-enclaves', { status: 0, stdout: '[]\n', stderr: '' }),
  ],
  [
    'MEMORY_BELOW_IMAGE',
    'fail',
    'an image that wants more memory',
    ({ facts }) => void facts.set('/etc/holdfast/enclave.eif', { size: 257 * 1024 * 1024 }),
  ],
  ['CPU_POOL_SHORT', 'fail', 'an empty pool', setFile('/sys/module/nitro_enclaves/parameters/ne_cpus', '\n')],
  ['CPUS_NOT_WHOLE_CORES', 'fail', 'half a core', setYaml((yaml) => yaml.replace('cpus: 2', 'cpus: 1'))],
  [
    'INSTANCE_TOO_SMALL',
    'fail',
    'an instance of one core',
    setFile('/sys/devices/system/cpu/present', '0-1'),
  ],
  [
    'NITRO_CLI_MISSING',
    'fail',
    'no nitro-cli',
    ({ programs }) => {
      programs.delete('nitro-cli --version');
      programs.delete('nitro-cli describe-enclaves');
    },
  ],
  [
    'NITRO_CLI_FAILS',
    'fail',
    'a nitro-cli that finds no process of its own',
    ({ programs }) =>
      void programs.set('nitro-cli describe-enclaves', failed('[ E39 ] Enclave process connection failure.')),
  ],
  [
    'ENCLAVE_IN_DEBUG_MODE',
    'fail',
    'an enclave in debug mode',
    ({ programs }) =>
      void programs.set('nitro-cli describe-enclaves', {
        status: 0,
        stdout: '[{"EnclaveID":"i-05f6ed443ae43fe45-enc1","EnclaveCID":16,"Flags":"DEBUG_MODE"}]',
        stderr: '',
      }),
  ],
  [
    'ENCLAVE_IN_DEBUG_MODE',
    'fail',
    'a configuration for trials',
    setYaml((yaml) => yaml.replace('cpus: 2', 'cpus: 2, debug: true')),
  ],
  ['NODE_TOO_OLD', 'fail', 'an old Node', setMethod({ nodeVersion: '22.11.0' })],
  [
    'ADDON_MISSING',
    'fail',
    'no addon',
    setMethod({ loadAddon: () => Promise.reject(new TransportError('TRANSPORT_UNAVAILABLE', 'not built')) }),
  ],
  ['UNIT_MISSING', 'fail', 'no unit', setUnit('holdfast', (shown) => shown.replace('=loaded', '=not-found'))],
  [
    'UNIT_FAILED',
    'fail',
    'a unit that failed',
    setUnit('holdfast', (shown) =>
      shown.replace('ActiveState=active', 'ActiveState=failed').replace('success', 'exit-code'),
    ),
  ],
  [
    'UNIT_FAILED',
    'fail',
    'a unit that starts in a circle',
    setUnit('holdfast', (shown) =>
      shown.replace('ActiveState=active', 'ActiveState=activating').replace('success', 'exit-code'),
    ),
  ],
  [
    'UNIT_NOT_ACTIVE',
    'warn',
    'a unit that nobody started',
    (host) => {
      setUnit('holdfast', (shown) => shown.replace('ActiveState=active', 'ActiveState=inactive'))(host);
      host.taken.clear();
    },
  ],
  [
    'UNIT_NOT_ENABLED',
    'warn',
    'a unit that a reboot forgets',
    setUnit('holdfast', (shown) => shown.replace('enabled', 'disabled')),
  ],
  [
    'UNIT_WITHOUT_ENCLAVE',
    'fail',
    'a unit without its drop-in',
    setUnit('holdfast', (shown) => shown.replace(/^DropInPaths=.*$/m, 'DropInPaths=')),
  ],
  [
    'NODE_NOT_SERVING',
    'fail',
    'a node that KMS refused',
    setFile('status page', '{"node":{"phase":"failed","code":"KMS_ACCESS_DENIED"},"enclave":{"cid":16}}'),
  ],
  [
    'NODE_NOT_SERVING',
    'fail',
    'an image that is not started again',
    setFile(
      'status page',
      '{"node":null,"enclave":{"cid":16,"state":"halted","code":"ENCLAVE_IMAGE_UNEXPECTED"}}',
    ),
  ],
  [
    'NODE_NOT_SERVING',
    'warn',
    'a node on its way',
    setFile(
      'status page',
      '{"node":{"phase":"unlocking","code":null},"enclave":{"cid":16,"state":"running"}}',
    ),
  ],
  [
    'BACKUP_LACKING',
    'warn',
    'a node that serves, and has no backup that somebody keeps',
    setFile(
      'status page',
      '{"node":{"phase":"serving","code":"BACKUP_MISSING"},"enclave":{"cid":16,"state":"running"}}',
    ),
  ],
  ['LOG_GAP', 'fail', 'a folder of the log that was lost', setLog({ hasGap: true })],
  ['LOG_UNDER_COSIGNED', 'fail', 'a witness too few', setLog({ wanted: 2, cosigned: 1 })],
  [
    'WITNESS_REFUSES',
    'warn',
    'a witness that does not know the log',
    setLog({ witnesses: [{ name: 'witness.example/1', refusal: 'UNKNOWN_LOG' }] }),
  ],
  [
    'PEERS_NOT_CONNECTED',
    'warn',
    'a parent of another node that is not connected',
    setPeers('node: 2, nodes: [{node: 1, address: "10.0.0.1:7443"}]', (host) => {
      const peers = { peers: [{ node: 1, isConnected: false, outcome: 'TLS_FAILED' }] };
      host.files.set(
        'status page',
        JSON.stringify({ node: { phase: 'serving', code: null }, enclave: { cid: 16 }, peers }),
      );
    }),
  ],
  [
    'PEERS_UNREACHABLE',
    'warn',
    'a parent of another node that does not listen',
    setPeers('node: 2, nodes: [{node: 1, address: "10.0.0.1:7443"}]', (host) => {
      host.methods.connect = ({ port }) =>
        port === 7_443 ? Promise.reject(errno('ECONNREFUSED')) : Promise.resolve();
    }),
  ],
  [
    'PEERS_OTHER_NODE',
    'fail',
    'the number of another node',
    setPeers('node: 3, nodes: [{node: 1, address: "a:1"}]'),
  ],
  [
    'PEERS_CERTIFICATE',
    'fail',
    'a certificate for other nodes that is not there',
    setPeers('node: 2, nodes: [{node: 1, address: "a:1"}], tls: {ca: /none, certificate: /none, key: /none}'),
  ],
  [
    'PEERS_CERTIFICATE_EXPIRES',
    'fail',
    'a certificate for other nodes that has expired',
    setPeers(
      'node: 2, nodes: [{node: 1, address: "a:1"}], tls: {ca: /p.pem, certificate: /p.pem, key: /p.pem}',
      (host) => {
        host.files.set('/p.pem', certificateUntil(NOW - 1_000));
      },
    ),
  ],
  [
    'PEERS_CERTIFICATE_EXPIRES',
    'warn',
    'a certificate for other nodes that is good for some days',
    setPeers(
      'node: 2, nodes: [{node: 1, address: "a:1"}], tls: {ca: /p.pem, certificate: /p.pem, key: /p.pem}',
      (host) => {
        host.files.set('/p.pem', certificateUntil(NOW + 5 * 86_400_000));
      },
    ),
  ],
  ['CONFIG_MISSING', 'fail', 'no configuration', without(CONFIG)],
  [
    'CONFIG_INVALID',
    'fail',
    'a configuration with an unknown field',
    setYaml((yaml) => `${yaml}\ncolour: blue`),
  ],
  [
    'CONFIG_INVALID',
    'fail',
    'a target that is no host',
    setYaml((yaml) => yaml.replace('allowlist: [', 'allowlist: [{ host: "a b", port: 443 }, ')),
  ],
  ['FILE_MISSING', 'fail', 'no image', without('/etc/holdfast/enclave.eif')],
  [
    'FILE_WRITABLE',
    'fail',
    'an image that everybody may change',
    ({ facts }) => void facts.set('/etc/holdfast/pcr.json', { mode: 0o666 }),
  ],
  [
    'FILE_WRITABLE',
    'fail',
    'a folder that a group may change',
    ({ facts }) => void facts.set('/etc/holdfast', { mode: 0o775, gid: 1000 }),
  ],
  [
    'FILE_WRITABLE',
    'fail',
    'an image of a login',
    ({ facts }) => void facts.set('/etc/holdfast/pcr.json', { uid: 1000 }),
  ],
  [
    'FILE_UNREADABLE_FOR_SERVICE',
    'fail',
    'a manifest of root alone',
    ({ facts }) => void facts.set('/etc/holdfast/manifest.json', { mode: 0o600 }),
  ],
  [
    'FILE_UNREADABLE_FOR_SERVICE',
    'fail',
    'a folder of root alone',
    ({ facts }) => void facts.set('/etc/holdfast', { mode: 0o700 }),
  ],
  ['FILE_EXPOSED', 'warn', 'a password that everybody may read', setPasswordFile(0o644)],
  ['FILE_UNREADABLE_FOR_SERVICE', 'fail', 'a password of root alone', setPasswordFile(0o600)],
  [
    'STORE_EXPOSED',
    'fail',
    'a store that everybody may change',
    ({ facts }) => void facts.set('/var/lib/holdfast', { mode: 0o777 }),
  ],
  [
    'STORE_EXPOSED',
    'warn',
    'a store that everybody may read',
    ({ facts }) => void facts.set('/var/lib/holdfast', { mode: 0o755 }),
  ],
  [
    'IMAGE_UNEXPECTED',
    'fail',
    'another image',
    setMethod({
      verifyImage: () => Promise.reject(new EnclaveError('ENCLAVE_IMAGE_UNEXPECTED', 'another one')),
    }),
  ],
  [
    'PCR16_MISMATCH',
    'fail',
    'the manifest of another node',
    ({ files }) => {
      const { manifest, configuration } = makeNode();
      files.set('/etc/holdfast/manifest.json', manifest);
      files.set('/etc/holdfast/configuration.json', configuration);
    },
  ],
  [
    'PCR16_MISSING',
    'warn',
    'the pcr.json of an image alone',
    setFile('/etc/holdfast/pcr.json', makeNode().pcrsWithoutManifest),
  ],
  ['MANIFEST_REFUSED', 'fail', 'a manifest that is none', setFile('/etc/holdfast/manifest.json', '{}')],
  [
    'CONFIGURATION_REFUSED',
    'fail',
    'a configuration that somebody else has signed',
    setFile('/etc/holdfast/configuration.json', makeNode().configuration),
  ],
  [
    'CONFIGURATION_EXPIRED',
    'fail',
    'a configuration of last week',
    setNode(makeNode({ notAfter: '2026-11-15T00:00:00Z' })),
  ],
  [
    'CONFIGURATION_EXPIRES',
    'warn',
    'a configuration of this week',
    setNode(makeNode({ notAfter: '2026-11-25T00:00:00Z' })),
  ],
  [
    'CLOCK_NOT_SYNCHRONISED',
    'warn',
    'a clock that nothing keeps right',
    ({ programs }) =>
      void programs.set('timedatectl show --property=NTPSynchronized', {
        status: 0,
        stdout: 'NTPSynchronized=no\n',
        stderr: '',
      }),
  ],
  [
    'CLOCK_SKEWED',
    'fail',
    'a clock that is two minutes slow',
    setMethod({ askDate: () => Promise.resolve(new Date(NOW + 120_000).toUTCString()) }),
  ],
  [
    'CLOCK_SKEWED',
    'warn',
    'a clock that is ten seconds fast',
    setMethod({ askDate: () => Promise.resolve(new Date(NOW - 10_000).toUTCString()) }),
  ],
  ['REGION_MISSING', 'fail', 'no Region', setYaml((yaml) => yaml.replace('region: eu-central-1', ''))],
  [
    'REGION_DIFFERS',
    'warn',
    'an instance in another Region',
    ({ metadata }) =>
      void metadata.set('GET /latest/meta-data/placement/region token', { status: 200, body: 'eu-west-1' }),
  ],
  [
    'ROLE_MISSING',
    'fail',
    'no instance profile',
    ({ metadata }) =>
      void metadata.set('GET /latest/meta-data/iam/security-credentials/ token', { status: 404, body: '' }),
  ],
  [
    'CREDENTIALS_MISSING',
    'fail',
    'no credentials',
    setMethod({ credentialsExpiration: () => Promise.reject(new Error('none')) }),
  ],
  [
    'CREDENTIALS_EXPIRED',
    'fail',
    'old credentials',
    setMethod({ credentialsExpiration: () => Promise.resolve(NOW - 60_000) }),
  ],
  [
    'CREDENTIALS_STATIC',
    'warn',
    "a user's access key",
    setMethod({ credentialsExpiration: () => Promise.resolve(null) }),
  ],
  [
    'ALLOWLIST_HOST_NEVER_MATCHES',
    'warn',
    'a wildcard in the file of vsock-proxy',
    setAllowListFile(
      `allowlist:\n- {address: ${KMS}, port: 443}\n- {address: "*.amazonaws.com", port: 443}\n`,
    ),
  ],
  [
    'ALLOWLIST_DOCUMENT_IGNORED',
    'warn',
    'a second document in the file of vsock-proxy',
    setAllowListFile(`allowlist:\n- {address: ${KMS}, port: 443}\n---\nallowlist: []\n`),
  ],
  [
    'CONFIG_INVALID',
    'fail',
    'a file of vsock-proxy that cannot be read as such',
    setAllowListFile('allowlist:\n- {address: a.com, port: "443"}\n'),
  ],
  [
    'EGRESS_KMS_MISSING',
    'fail',
    'an allow-list without KMS',
    setYaml((yaml) => yaml.replace(KMS, '52.94.205.9')),
  ],
  ['EGRESS_DNS_FAILED', 'fail', 'a name without an address', ({ addresses }) => addresses.clear()],
  [
    'EGRESS_ADDRESS_FORBIDDEN',
    'fail',
    'a VPC endpoint that nobody wrote out',
    ({ addresses }) => void addresses.set(KMS, ['10.0.3.17']),
  ],
  [
    'EGRESS_UNREACHABLE',
    'fail',
    'a closed security group',
    setMethod({ connect: () => Promise.reject(errno('ETIMEDOUT')) }),
  ],
  [
    'EGRESS_TLS_UNTRUSTED',
    'fail',
    'a proxy that opens TLS',
    setMethod({ askDate: () => Promise.reject(errno('SELF_SIGNED_CERT_IN_CHAIN')) }),
  ],
  [
    'PORT_TAKEN',
    'fail',
    'a port that another program has',
    ({ programs }) =>
      void programs.set('systemctl is-active holdfast-parent.service', {
        status: 3,
        stdout: 'inactive\n',
        stderr: '',
      }),
  ],
  [
    'PORT_PRIVILEGED',
    'fail',
    'port 443 without a capability',
    setYaml((yaml) => yaml.replace(':8443', ':443')),
  ],
  ['DISK_FULL', 'fail', 'a full disk', ({ free }) => void free.set('/var/lib/holdfast', 1024)],
  [
    'DISK_LOW',
    'warn',
    'a disk that is nearly full',
    ({ free }) => void free.set('/var/lib/holdfast', 512 * 1024 * 1024),
  ],
  [
    'MEMORY_LOW',
    'warn',
    'little memory for the parent',
    setFile('/proc/meminfo', 'MemAvailable:   102400 kB\n'),
  ],
  [
    'DESCRIPTORS_SHORT',
    'warn',
    'few descriptors',
    setUnit('holdfast', (shown) => shown.replace('65536', '1024')),
  ],
  [
    'SWAP_ON',
    'warn',
    'swap',
    setFile('/proc/swaps', 'Filename Type Size Used Priority\n/swapfile file 1048572 0 -2\n'),
  ],
  [
    'CHECK_BROKE',
    'warn',
    'a file that the kernel cannot read',
    ({ facts }) => void facts.set('/proc/meminfo', { errno: 'EIO' }),
  ],
];

describe('one thing broken', () => {
  it.each(BROKEN)('%s (%s): %s', async (code, status, _, change) => {
    const { findings } = await examine(change);
    const found = findings.filter((finding) => 'code' in finding && finding.code === code);
    expect(found.map((finding) => finding.status)).toContain(status);
    for (const finding of found) {
      expect(finding).toMatchObject({ text: expect.stringMatching(/./), advice: expect.stringMatching(/./) });
    }
  });

  it('every code is found somewhere, and explained in docs/doctor.md', () => {
    const tested = new Set(BROKEN.map(([code]) => code));
    expect(FINDING_CODES.filter((code) => !tested.has(code))).toEqual(['CHECK_TIMED_OUT']);
    const page = readFileSync(join(import.meta.dirname, '../../../docs/doctor.md'), 'utf8');
    expect(FINDING_CODES.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  it('leaves the rest in order', async () => {
    expect(await notInOrder(setFile(ALLOCATOR, '---\nmemory_mib: 512\ncpu_count: 2\n'))).toEqual([
      'fail ALLOCATOR_MEMORY_SHORT',
    ]);
    expect(await notInOrder(setFile('/proc/swaps', 'Filename\n/swapfile file'))).toEqual(['warn SWAP_ON']);
  });
});

describe('an allocator file', () => {
  it.each([
    ['lines of Windows', '---\r\nmemory_mib: 1024\r\ncpu_count: 2\r\n'],
    ['a byte order mark', '\uFEFF---\nmemory_mib: 1024\ncpu_count: 2\n'],
    ['a no-break space beside ---', '---\u00A0\nmemory_mib: 1024\ncpu_count: 2\n'],
    ['a carriage return after the memory', '---\nmemory_mib: 1024\r\ncpu_count: 2\n'],
    ['a carriage return after the CPUs', '---\nmemory_mib: 1024\ncpu_count: 2\r\n'],
    ['a no-break space before the CPUs', '---\nmemory_mib: 1024\ncpu_count:\u00A02\n'],
    ['a second colon', '---\nmemory_mib: 1024: x\ncpu_count: 2\n'],
    ['no colon', '---\nmemory_mib 1024\ncpu_count: 2\n'],
    ['a backslash that joins a comment with what follows', '---\n# x \\\nmemory_mib: 1024\ncpu_count: 2\n'],
  ])('is malformed with %s, as bash reads it', async (_name, text) => {
    expect(await notInOrder(setFile(ALLOCATOR, text))).toEqual(['fail ALLOCATOR_MALFORMED']);
  });

  it.each([
    ['tabs and blanks', ' ---\t\n\tmemory_mib:\t1024 \n cpu_count:2\n'],
    ['quotes', '---\nmemory_mib: "1024"\ncpu_count: "2"\n'],
    ['text before ---', 'anything\n---\nmemory_mib: 1024\ncpu_count: 2\n'],
  ])('is in order with %s', async (_name, text) => {
    expect(await notInOrder(setFile(ALLOCATOR, text))).toEqual([]);
  });
});

describe('huge pages on two NUMA nodes', () => {
  it('are in order where the node of the pool’s CPUs has enough, whatever the other has', async () => {
    const found = await notInOrder((host) => {
      addNumaNode(host, 7);
      for (const cpu of [1, 3]) host.files.set(`/sys/devices/system/cpu/cpu${cpu}/node0/cpulist`, '');
    });
    expect(found).toEqual([]);
  });

  it('are in order where each has enough', async () => {
    expect(await notInOrder((host) => addNumaNode(host, 1))).toEqual([]);
  });
});

describe('a VPC endpoint', () => {
  it.each([
    ['its target', (yaml: string) => yaml.replace('port: 443 }', 'port: 443, networks: [10.0.3.0/24] }')],
    ['all targets', (yaml: string) => yaml.replace('egress: {', 'egress: { networks: [10.0.3.0/24],')],
  ])('is said to be one where the networks of %s open it', async (_name, edit) => {
    const { findings } = await examine((host) => {
      host.addresses.set(KMS, ['10.0.3.17']);
      setYaml(edit)(host);
    });
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(
      findings.some(({ text }) => text.includes(KMS) && text.includes('10.0.3.17, a private address')),
    ).toBe(true);
  });

  it('is named with the block that would open it where nothing does', async () => {
    const { findings } = await examine(({ addresses }) => void addresses.set(KMS, ['10.0.3.17']));
    const found = findings.find((one) => 'code' in one && one.code === 'EGRESS_ADDRESS_FORBIDDEN');
    expect(found).toMatchObject({ advice: expect.stringContaining('--network 10.0.3.17/24') as string });
  });
});

describe('what is not looked at', () => {
  it('is a node whose parent does not answer, or somebody else does', async () => {
    expect(await notInOrder(without('status page'))).toEqual(['skipped NOT_APPLICABLE']);
    expect(await notInOrder(setFile('status page', '<html>'))).toEqual(['skipped NOT_APPLICABLE']);
  });

  it('is said with a reason, offline', async () => {
    const found = await notInOrder(() => {}, { offline: true });
    expect(new Set(found)).toEqual(new Set(['skipped OFFLINE']));
    const touched: string[] = [];
    const refuse = (name: string) => () => {
      touched.push(name);
      return Promise.reject(errno('ENETDOWN'));
    };
    await notInOrder(
      setMethod({
        connect: refuse('connect'),
        askDate: refuse('askDate'),
        lookUp: refuse('lookUp'),
        askMetadata: refuse('askMetadata'),
        credentialsExpiration: refuse('credentials'),
      }),
      { offline: true },
    );
    expect(touched).toEqual([]);
  });

  it('is said with a reason, by a user who may not see it', async () => {
    const found = await notInOrder(({ facts, programs, methods }) => {
      facts.set(CONFIG, { errno: 'EACCES' });
      facts.set('/sys/class/dmi/id/board_asset_tag', { errno: 'EACCES' });
      programs.set('nitro-cli describe-enclaves', failed('[ E39 ] Enclave process connection failure.'));
      Object.assign(methods, { uid: 1000 });
    });
    expect(new Set(found)).toEqual(new Set(['skipped NOT_PERMITTED', 'skipped NOT_CONFIGURED']));
    const store = await notInOrder(({ facts }) => void facts.set('/var/lib/holdfast', { errno: 'EACCES' }));
    expect(store).toEqual(['skipped NOT_PERMITTED']);
  });

  it('is the enclave, on a machine that is no enclave host', async () => {
    const { findings, isEnclaveHost } = await examine(setFile('/sys/class/dmi/id/sys_vendor', 'LENOVO'));
    expect(isEnclaveHost).toBe(false);
    const enclave = findings.filter(({ part }) => part === 'enclave');
    expect(enclave.map((finding) => 'code' in finding && finding.code)).toContain('NOT_ENCLAVE_HOST');
    expect(findings.some(({ part, status }) => part === 'network' && status === 'ok')).toBe(true);
  });
});

it('takes the ports of a parent that was started by hand for its own', async () => {
  const found = await notInOrder(({ programs, files }) => {
    programs.set('systemctl is-active holdfast-parent.service', failed(''));
    files.set('health page', '{"healthy":true}\n');
  });
  expect(found).toEqual([]);
});

describe('a check', () => {
  it('that takes too long is given up: CHECK_TIMED_OUT', async () => {
    const never = () => new Promise<never>(() => {});
    const asked = performance.now();
    expect(await notInOrder(setMethod({ loadAddon: never }))).toEqual(['warn CHECK_TIMED_OUT']);
    expect(performance.now() - asked).toBeLessThan(60_000);
  });

  it('stops at Ctrl-C', async () => {
    const host = asHost(createEc2Host());
    const signal = AbortSignal.abort();
    const run = runDoctor({ host, configPath: CONFIG, configIsNamed: true, offline: true, signal });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('tells how far it has come', async () => {
    const seen: number[] = [];
    const host = asHost(createEc2Host());
    await runDoctor({
      host,
      configPath: CONFIG,
      configIsNamed: true,
      offline: true,
      onProgress: (done, total) => seen.push(done / total),
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });
});

it('never advises to show a file with a password to everybody', async () => {
  for (const mode of [0o600, 0o640, 0o644]) {
    const { findings } = await examine(setPasswordFile(mode));
    const own = findings.filter(({ text }) => text.includes(PASSWORD_FILE));
    expect(own.map((finding) => ('command' in finding ? finding.command : undefined))).toEqual([
      `sudo chmod 0600 ${PASSWORD_FILE} && sudo systemctl edit holdfast-parent`,
    ]);
  }
});

it('quotes what a shell would take apart in a command to copy', async () => {
  expect(quote("/a b/'; rm -rf /")).toBe(String.raw`'/a b/'\''; rm -rf /'`);
  const { findings } = await examine(
    setYaml((yaml) => yaml.replace('/etc/holdfast/manifest.json', '"/etc/$(reboot)/manifest.json"')),
  );
  const commands = findings.flatMap((finding) => ('command' in finding ? [finding.command] : []));
  expect(commands).toContain("sudo install -m 0644 FILE '/etc/$(reboot)/manifest.json'");
});
