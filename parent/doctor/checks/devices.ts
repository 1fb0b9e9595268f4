import type { Check } from './check.ts';
import { fail, type CheckResult, ok, warn } from './check-result.ts';
import { errnoOf, type FileFacts, type Host, readText, readTextIfAny } from './host.ts';

const DEVICE = '/dev/nitro_enclaves';
/** Group that the nitro-cli package makes. */
const GROUP = 'ne';
/** PCI vendor of Amazon's Nitro Enclaves device, present where the instance was started with enclaves. */
const PCI_VENDOR = '0x1d0f';
const PCI_DEVICE = '0xe4c1';

const enclaveDeviceCheck: Check = {
  part: 'machine',
  title: 'enclave device',
  needs: ['enclave-host'],
  async run({ host, instance }) {
    let device: FileFacts;
    try {
      device = await host.stat(DEVICE);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return [(await isOnBus(host)) ? driverMissing() : enclavesDisabled(instance.id ?? 'INSTANCE')];
    }
    const gid = await groupId(host, GROUP);
    const isOpen = (device.mode & 0o007) !== 0;
    if (gid === undefined || device.gid !== gid || (device.mode & 0o060) !== 0o060 || isOpen) {
      return [
        fail('DEVICE_PERMISSIONS', `${DEVICE} is not for the group "${GROUP}" alone`, {
          advice: 'give it the owner and mode that the nitro-cli package gives it',
          command: `sudo groupadd -f ${GROUP} && sudo chgrp ${GROUP} ${DEVICE} && sudo chmod 0660 ${DEVICE}`,
        }),
      ];
    }
    return [ok(`${DEVICE} is there, for the group "${GROUP}"`)];
  },
};

function driverMissing(): CheckResult {
  return fail(
    'NE_DRIVER_MISSING',
    `the instance has enclaves, but ${DEVICE} is missing: no driver is loaded`,
    {
      advice:
        'load it; where modprobe does not find it, this kernel has none (Ubuntu: linux-modules-extra-aws)',
      command: 'sudo modprobe nitro_enclaves',
    },
  );
}

function enclavesDisabled(id: string): CheckResult {
  return fail('ENCLAVES_DISABLED', 'the instance was started without enclaves', {
    advice: 'stop it, switch them on, and start it again; an instance that can hibernate cannot have them',
    command: `aws ec2 stop-instances --instance-ids ${id} && aws ec2 wait instance-stopped --instance-ids ${id} && aws ec2 modify-instance-attribute --instance-id ${id} --attribute enclaveOptions --value true && aws ec2 start-instances --instance-ids ${id}`,
  });
}

async function isOnBus(host: Host): Promise<boolean> {
  const bus = '/sys/bus/pci/devices';
  for (const name of await host.list(bus).catch(() => [])) {
    const [vendor, device] = [
      await readTextIfAny(host, `${bus}/${name}/vendor`),
      await readTextIfAny(host, `${bus}/${name}/device`),
    ];
    if (vendor === PCI_VENDOR && device === PCI_DEVICE) return true;
  }
  return false;
}

async function groupId(host: Host, name: string): Promise<number | undefined> {
  for (const line of (await readText(host, '/etc/group')).split('\n')) {
    const [group, , gid] = line.split(':');
    if (group === name) return Number(gid);
  }
  return undefined;
}

/** Check of the parent's vsock device, a virtio device; https://docs.kernel.org/virt/ne_overview.html */
const vsockCheck: Check = {
  part: 'machine',
  title: 'vsock',
  needs: ['enclave-host'],
  async run({ host }) {
    const modules = new Set(await host.list('/sys/module'));
    try {
      await host.stat('/dev/vsock');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return [
        fail('VSOCK_MISSING', '/dev/vsock is missing: the kernel has no vsock loaded', {
          advice: 'load it, now and at each boot',
          command:
            "printf 'vsock\\nvmw_vsock_virtio_transport\\n' | sudo tee /etc/modules-load.d/vsock.conf && sudo systemctl restart systemd-modules-load",
        }),
      ];
    }
    if (modules.has('vhost_vsock')) {
      return [
        warn(
          'VSOCK_VHOST_LOADED',
          'vhost_vsock is loaded: the kernel then looks for CID 16 and the like among virtual machines of this host, not among its enclaves',
          {
            advice: 'unload it, and keep what runs virtual machines off this host',
            command: 'sudo modprobe -r vhost_vsock',
          },
        ),
      ];
    }
    if (!modules.has('vmw_vsock_virtio_transport')) {
      return [
        warn(
          'VSOCK_TRANSPORT_MISSING',
          'vmw_vsock_virtio_transport is not loaded: unless the kernel has it built in, no byte gets to an enclave',
          {
            advice: 'load it',
            command: 'sudo modprobe vmw_vsock_virtio_transport',
          },
        ),
      ];
    }
    return [ok('/dev/vsock is there, with the virtio transport')];
  },
};

export const deviceChecks: readonly Check[] = [enclaveDeviceCheck, vsockCheck];
