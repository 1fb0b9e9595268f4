export { assertAccount } from './account.ts';
export { changesSomething, populatePartition } from './apply.ts';
export { type CatalogueEntry, describePartition, type PartitionDescription } from './catalogue.ts';
export { PopulateError, type PopulateErrorCode } from './errors.ts';
export { readPostgresPasswords } from './in-force.ts';
export {
  assertValuesFit,
  planPartition,
  type PlannedValue,
  type PopulateAction,
  selectEntries,
} from './plan.ts';
export { renderPostgresRoles } from './postgres-roles.ts';
export { renderValues } from './template.ts';
export { MAX_VALUES_BYTES, parseValues, type ValueSource } from './values.ts';
