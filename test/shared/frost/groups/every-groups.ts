import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Group, type Groups } from '../../../../shared/frost/groups/group.ts';
import { createNativeGroups } from '../../../../shared/frost/groups/native-groups.ts';
import { nobleGroups } from '../../../../shared/frost/groups/noble-groups.ts';
import { loadNative } from '../../../../shared/native/addon.ts';

export const hasAddon = existsSync(join(import.meta.dirname, '../../../../build/holdfast.node'));

/** The implementations of groups that there are on this machine, by name. */
export function listImplementations(): { readonly name: string; readonly groups: Groups }[] {
  const noble = { name: 'noble', groups: nobleGroups };
  return hasAddon ? [noble, { name: 'the addon', groups: createNativeGroups(loadNative()) }] : [noble];
}

/** Every group of every implementation, with a name for a test's title. */
export function listGroups(): { readonly title: string; readonly group: Group }[] {
  return listImplementations().flatMap(({ name, groups }) =>
    Object.values(groups).map((group) => ({ title: `${group.name} of ${name}`, group })),
  );
}
