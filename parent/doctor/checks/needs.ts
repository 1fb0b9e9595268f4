import type { ParentConfig } from '../../config/schema.ts';
import type { CheckContext } from './check.ts';

export const ALLOCATOR = '/etc/nitro_enclaves/allocator.yaml';
export const ALLOCATOR_UNIT = 'nitro-enclaves-allocator.service';
export const RESTART_ALLOCATOR = `sudo systemctl restart ${ALLOCATOR_UNIT}`;

const DEFAULTS: Pick<ParentConfig['enclave'], 'cpus' | 'memoryMiB'> = { cpus: 2, memoryMiB: 1_024 };

/** Memory and CPUs that the enclave will ask for: those of the configuration, or the parent's defaults. */
export function enclaveNeeds({
  config,
}: Pick<CheckContext, 'config'>): Pick<ParentConfig['enclave'], 'cpus' | 'memoryMiB'> {
  return config?.enclave ?? DEFAULTS;
}
