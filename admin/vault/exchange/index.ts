export { ExchangeError, type ExchangeErrorCode } from './errors.ts';
export {
  Exchange,
  type ExchangeFolder,
  type ExchangeParties,
  type SeenStatements,
  type Told,
} from './exchange.ts';
export { type Facts, STEP_NAMES, type StepName } from './facts.ts';
export { assertStatementKey, digestOf, type Statement, type StatedFile } from './statement.ts';
