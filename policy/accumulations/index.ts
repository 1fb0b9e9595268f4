export {
  Accumulations,
  ACCUMULATIONS_TABLE,
  type Charge,
  MAX_WINDOWS,
  type Shortage,
} from './accumulations.ts';
export type { AccumulationChange } from './records.ts';
