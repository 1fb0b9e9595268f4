import { HoldfastError } from '../../shared/errors.ts';
import type { EgressErrorCode } from '../../shared/protocol/egress.ts';

/** Reason why a connection was not made; the enclave gets the code. */
export class EgressRefusal extends HoldfastError<EgressErrorCode> {}
