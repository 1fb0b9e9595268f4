export { createNsmClient, type NsmClient } from './client.ts';
export type { NsmDevice } from './device.ts';
