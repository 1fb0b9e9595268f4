export { Accumulations, ACCUMULATIONS_TABLE, type Charge, type Shortage } from './accumulations.ts';
export type { AccumulationChange } from './records.ts';
