export type {
  AskedCeremony,
  Ceremonies,
  CeremonyEdges,
  LedOrder,
  CeremonyOutcome,
  ConfirmedEpochs,
  CeremonyProgress,
} from './ceremonies.ts';
export { CeremonyError, type CeremonyErrorCode } from './errors.ts';
export { startCeremonies } from './node-ceremonies.ts';
