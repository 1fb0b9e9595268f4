export { changeCeremony } from './ceremony.ts';
export type { Proposal } from './change.ts';
export { findNewest } from './newest.ts';
export { findNewestDescription, type NewestDescription } from './newest-description.ts';
export { type ConfigurationStatus, describeConfigurations } from './status.ts';
