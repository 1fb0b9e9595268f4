import { type Check, type CheckContext, configOf } from './check.ts';
import { fail, type CheckResult, ok, skip, warn } from './check-result.ts';
import { showUnit } from './unit.ts';

const NODE_MAJOR = 26;
const UNIT = 'holdfast-parent.service';

const nodeCheck: Check = {
  part: 'service',
  title: 'Node',
  async run({ host }) {
    const { nodeVersion } = host;
    return Number(nodeVersion.split('.')[0]) >= NODE_MAJOR
      ? [ok(`Node ${nodeVersion}`)]
      : [
          fail('NODE_TOO_OLD', `this is Node ${nodeVersion}, and ${NODE_MAJOR} or later is needed`, {
            advice: 'install the parent, which brings the Node that it needs',
            command: 'sudo scripts/install-parent.sh',
          }),
        ];
  },
};

const addonCheck: Check = {
  part: 'service',
  title: 'native addon',
  async run({ host, config }) {
    try {
      await host.loadAddon();
      return [ok('AF_VSOCK can be spoken')];
    } catch {
      const report = config === undefined || config.transport === 'vsock' ? fail : warn;
      return [
        report('ADDON_MISSING', 'the native addon does not load: AF_VSOCK cannot be spoken', {
          advice: 'install a C compiler, and build it',
          command:
            'sudo dnf install -y gcc || sudo apt-get install -y gcc libc6-dev; sudo scripts/install-parent.sh',
        }),
      ];
    }
  },
};

const unitCheck: Check = {
  part: 'service',
  title: 'systemd unit',
  async run(context) {
    const properties = ['LoadState', 'ActiveState', 'UnitFileState', 'DropInPaths', 'Result'];
    const unit = await showUnit(context.host, UNIT, properties, context.signal);
    if (unit === undefined) return [skip('NOT_APPLICABLE', 'no systemd answers here')];
    if (unit.get('LoadState') !== 'loaded') return [describeMissingUnit(context)];
    const findings = [...describeUnit(unit), ...describeDropIn(unit, context)];
    return findings.length > 0 ? findings : [ok('holdfast-parent is installed, enabled and active')];
  },
};

function describeMissingUnit({ instance }: CheckContext): CheckResult {
  const report = instance.kind === 'nitro' ? fail : warn;
  return report('UNIT_MISSING', 'holdfast-parent is not installed as a service', {
    advice: 'install it from a working copy',
    command: 'sudo scripts/install-parent.sh --with-enclave',
  });
}

function describeUnit(unit: ReadonlyMap<string, string>): CheckResult[] {
  const [active, file] = [unit.get('ActiveState'), unit.get('UnitFileState')];
  const findings: CheckResult[] = [];
  if (active === 'failed' || (active === 'activating' && unit.get('Result') !== 'success')) {
    findings.push(
      fail('UNIT_FAILED', `holdfast-parent does not stay up (${unit.get('Result') ?? 'unknown'})`, {
        advice: 'its journal names the code, and docs/parent-alerts.md explains it',
        command: 'journalctl -u holdfast-parent -n 50 --no-pager',
      }),
    );
  } else if (active !== 'active' && active !== 'reloading' && active !== 'activating') {
    findings.push(
      warn('UNIT_NOT_ACTIVE', 'holdfast-parent is installed and does not run', {
        advice: 'start it once all else is in order',
        command: 'sudo systemctl enable --now holdfast-parent',
      }),
    );
  }
  if (file !== 'enabled' && active === 'active') {
    findings.push(
      warn('UNIT_NOT_ENABLED', 'holdfast-parent runs, and will not after a reboot', {
        advice: 'enable it',
        command: 'sudo systemctl enable holdfast-parent',
      }),
    );
  }
  return findings;
}

/** Describes a missing drop-in: the plain unit has no devices, which an image to start needs. */
function describeDropIn(unit: ReadonlyMap<string, string>, context: CheckContext): CheckResult[] {
  if (context.config === undefined || configOf(context).enclave.image === undefined) return [];
  if (unit.get('DropInPaths')?.includes('/enclave.conf') === true) return [];
  return [
    fail(
      'UNIT_WITHOUT_ENCLAVE',
      'enclave.image is set, and the unit has not the drop-in that lets it use nitro-cli',
      {
        advice: 'install it',
        command: 'sudo scripts/install-parent.sh --with-enclave',
      },
    ),
  ];
}

export const programChecks: readonly Check[] = [nodeCheck, addonCheck, unitCheck];
