export type { Person, Said, Shown } from './person.ts';
export type { PublishedRelease } from './releases.ts';
export type { SampleVault } from './sample-vault.ts';
export { ofOneNode } from './vault-files.ts';
export {
  type Accounts,
  CEREMONY_ROUNDS,
  type PlayedRole,
  ROLES,
  type VaultOptions,
  VaultTestbed,
} from './vault-testbed.ts';
