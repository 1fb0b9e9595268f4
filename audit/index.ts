export {
  compareGateRecord,
  MAX_GATE_RECORD_BYTES,
  openGateRecord,
  type VerifiedGateRecord,
} from './gate-record.ts';
