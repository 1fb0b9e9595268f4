export { type ConfigurationFinding, lintConfiguration } from './lint/index.ts';
