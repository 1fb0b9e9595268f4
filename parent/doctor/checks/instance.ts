import type { Check } from './check.ts';
import { fail, ok, quote, skip, warn } from './check-result.ts';

const instanceCheck: Check = {
  part: 'machine',
  title: 'instance',
  async run({ instance, config }) {
    const { kind, vendor, type, id } = instance;
    if (kind === 'nitro') return [ok(`${type ?? 'EC2'} on Nitro${id === undefined ? '' : `, ${id}`}`)];
    if (kind === 'xen') {
      return [
        fail('INSTANCE_NOT_NITRO', 'this EC2 instance is not on Nitro: it has no enclaves', {
          advice:
            'move to an instance type built on Nitro with 4 vCPUs or more, such as m6i.xlarge (docs/aws.md)',
        }),
      ];
    }
    // A configuration with AF_VSOCK expects an enclave; a laptop with Unix sockets does not.
    const report = config !== undefined && config.transport === 'vsock' ? fail : warn;
    const what = vendor === undefined || vendor === '' ? 'of an unknown make' : `by "${vendor}"`;
    return [
      report('INSTANCE_NOT_EC2', `this is no EC2 instance but a machine ${what}: no enclave can run here`, {
        advice:
          'what is said here of program, files and network holds; run it again on the EC2 instance (docs/aws.md), or try a node on this machine',
        command: './holdfast local up',
      }),
    ];
  },
};

const metadataCheck: Check = {
  part: 'machine',
  title: 'metadata service',
  needs: ['enclave-host', 'network'],
  async run({ instance: { metadata, id = 'INSTANCE' } }) {
    const modify = `aws ec2 modify-instance-metadata-options --instance-id ${id} --http-endpoint enabled --http-tokens required --http-put-response-hop-limit 1`;
    if (metadata === undefined) {
      return [
        fail('IMDS_UNREACHABLE', 'the metadata service gives no token: the parent gets no credentials', {
          advice: 'let it be reached by IMDSv2; a local firewall may stand before 169.254.169.254 too',
          command: modify,
        }),
      ];
    }
    if (metadata.answersWithoutToken) {
      return [
        warn('IMDS_V1_OPEN', 'the metadata service answers without a token (IMDSv1)', {
          advice: 'require tokens: otherwise whatever on this host can be made to fetch a URL has its role',
          command: modify,
        }),
      ];
    }
    return [ok('IMDSv2 is required; its hop limit cannot be seen from here, and should be 1')];
  },
};

const nitroCliCheck: Check = {
  part: 'machine',
  title: 'nitro-cli',
  needs: ['enclave-host'],
  deadlineMs: 10_000,
  async run({ host, config, configPath, signal }) {
    let version: string;
    try {
      const { stdout } = await host.run('nitro-cli', ['--version'], signal);
      version = /[0-9]+\.[0-9]+\.[0-9]+/.exec(stdout)?.[0] ?? 'of an unknown version';
    } catch {
      return [
        fail('NITRO_CLI_MISSING', 'nitro-cli is not installed, or not on the path', {
          advice: 'install it',
          command: 'sudo dnf install -y aws-nitro-enclaves-cli',
        }),
      ];
    }
    const { status, stdout, stderr } = await host.run('nitro-cli', ['describe-enclaves'], signal);
    const enclaves = status === 0 ? parseEnclaves(stdout) : undefined;
    if (enclaves === undefined) {
      const code = /\bE[0-9]{2}\b/.exec(stderr)?.[0];
      if (host.uid !== 0)
        return [
          skip('NOT_PERMITTED', `nitro-cli ${version}; its enclaves are not for this user to see: try sudo`),
        ];
      return [
        fail(
          'NITRO_CLI_FAILS',
          `nitro-cli ${version} cannot list the enclaves${code === undefined ? '' : ` (${code})`}`,
          {
            advice: 'it explains its codes itself; its log is in /var/log/nitro_enclaves',
            command:
              code === undefined ? 'nitro-cli describe-enclaves' : `nitro-cli explain --error-code ${code}`,
          },
        ),
      ];
    }
    const debug = enclaves.find(({ isDebug, cid }) => isDebug && cid === config?.enclave.cid);
    if (config?.enclave.debug === true) {
      return [
        fail('ENCLAVE_IN_DEBUG_MODE', 'enclave.debug is on: KMS gives nothing to what is started so', {
          advice: 'switch it off; it is for trials alone',
          command: `sudoedit ${quote(configPath)}`,
        }),
      ];
    }
    if (debug !== undefined) {
      return [
        fail(
          'ENCLAVE_IN_DEBUG_MODE',
          `the enclave with CID ${debug.cid} runs in debug mode: KMS gives it nothing`,
          {
            advice: 'end it, and start it without --debug-mode',
            command: `nitro-cli terminate-enclave --enclave-id ${debug.id}`,
          },
        ),
      ];
    }
    const running =
      enclaves.length === 0
        ? 'no enclave runs'
        : enclaves.map(({ cid }) => `an enclave with CID ${cid} runs`).join(', ');
    return [ok(`nitro-cli ${version}; ${running}`)];
  },
};

export const instanceChecks: readonly Check[] = [instanceCheck, metadataCheck, nitroCliCheck];

interface Listed {
  readonly id: string;
  readonly cid: number;
  readonly isDebug: boolean;
}

/** Parses the output of `describe-enclaves`; undefined for anything else. */
export function parseEnclaves(stdout: string): readonly Listed[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  return value.map((entry: Record<string, unknown>) => ({
    id: String(entry['EnclaveID']),
    cid: Number(entry['EnclaveCID']),
    isDebug: String(entry['Flags']).includes('DEBUG_MODE'),
  }));
}
