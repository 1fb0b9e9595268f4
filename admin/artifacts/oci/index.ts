export type { FindRegistryCredentials, RegistryCredentials } from './credentials.ts';
export { createHttpClient } from './http.ts';
export { RegistryReleases } from './registry.ts';
