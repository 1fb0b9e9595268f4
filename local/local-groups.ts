import type { Groups } from '../shared/frost/groups/group.ts';
import { createNativeGroups } from '../shared/frost/groups/native-groups.ts';
import { nobleGroups } from '../shared/frost/groups/noble-groups.ts';
import { loadNative } from '../shared/native/addon.ts';
import { TransportError } from '../shared/transport/errors.ts';

/** Opens the groups of local mode: the addon's, or noble's where the addon was not built. */
export function openLocalGroups(): Groups {
  try {
    return createNativeGroups(loadNative());
  } catch (error) {
    if (error instanceof TransportError && error.code === 'TRANSPORT_UNAVAILABLE') return nobleGroups;
    throw error;
  }
}
