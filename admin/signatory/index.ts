export { SignatoryError, type SignatoryErrorCode } from './errors.ts';
export { type ImportOptions, importSignatory, type SignatoryImport } from './import.ts';
export type { ImportReport, ReportedField } from './report.ts';
export { ABSENCES, type Absence } from './server.ts';
