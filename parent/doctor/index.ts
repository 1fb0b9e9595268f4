export { PARTS } from './check.ts';
export { createRealHost } from './real-host.ts';
export { runDoctor, type DoctorReport, type ReportedFinding } from './run.ts';
