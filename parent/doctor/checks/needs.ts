import type { ParentConfig } from '../../config/schema.ts';
import type { CheckContext } from '../check.ts';

export const ALLOCATOR = '/etc/nitro_enclaves/allocator.yaml';
export const ALLOCATOR_UNIT = 'nitro-enclaves-allocator.service';
export const RESTART_ALLOCATOR = `sudo systemctl restart ${ALLOCATOR_UNIT}`;

const DEFAULTS: Pick<ParentConfig['enclave'], 'cpus' | 'memoryMiB'> = { cpus: 2, memoryMiB: 1_024 };

/** What the enclave will ask for; what the parent would take by itself where nothing is configured. */
export function enclaveNeeds({
  config,
}: Pick<CheckContext, 'config'>): Pick<ParentConfig['enclave'], 'cpus' | 'memoryMiB'> {
  return config?.enclave ?? DEFAULTS;
}
