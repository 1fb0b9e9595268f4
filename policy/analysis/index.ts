export { type ConfigurationFinding, lintConfiguration } from './lint/index.ts';
export { type CaseResult, describeNeeds, runCases } from './cases/run.ts';
export { type CaseTable, readCases } from './cases/table.ts';
export type { PublicKeys } from './reading.ts';
