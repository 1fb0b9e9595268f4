export { type ConfigurationFinding, lintConfiguration } from './lint/index.ts';
export { type CaseResult, describeNeeds, runCases } from './cases/run.ts';
export { type CaseTable, readCases } from './cases/table.ts';
export type { PublicKeys } from './reading.ts';
export { type Explained, explainRequest } from './explained.ts';
export { gatherPublicKeys, isOver, readTransaction } from './reading.ts';
export { readRequestFile } from './request-file.ts';
export { describeTransaction } from './words.ts';
