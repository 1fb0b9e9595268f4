export { PARTS } from './checks/check.ts';
export { createRealHost } from './real-host.ts';
export { runDoctor, type DoctorReport, type ReportedFinding } from './run.ts';
