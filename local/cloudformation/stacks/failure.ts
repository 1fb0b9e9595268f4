import { HoldfastError } from '../../../shared/errors.ts';
import { AwsServiceError } from '../../aws/plumbing.ts';
import type { Made } from './stack-record.ts';

/** Failure of a step on a resource. */
export class ResourceFailure extends HoldfastError<'RESOURCE_FAILED'> {
  readonly logicalId: string;

  constructor(logicalId: string, message: string, cause?: unknown) {
    super('RESOURCE_FAILED', message, { logicalId }, cause);
    this.logicalId = logicalId;
  }
}

/** Failure of a making that has left something behind, which the rollback has to delete. */
export class PartlyMade extends HoldfastError<'PARTLY_MADE'> {
  readonly made: Made;

  constructor(made: Made, message: string) {
    super('PARTLY_MADE', message);
    this.made = made;
  }
}

/** End of the stand-in in the middle of a step: the step is repeated by the next start. */
export class Interrupted extends HoldfastError<'INTERRUPTED'> {
  constructor() {
    super('INTERRUPTED', 'the stand-in was stopped');
  }
}

/** Code of a provider that has refused a change before it did anything: there is nothing to take back. */
export const NOT_UPDATABLE = 'NotUpdatable';

/** Reason of a failed step, as events show it. */
export function reasonOf(error: unknown): string {
  if (error instanceof PartlyMade) return error.message;
  if (error instanceof AwsServiceError && error.code === 'ValidationError') return error.message;
  if (error instanceof AwsServiceError) {
    return `Resource handler returned message: "${error.message}" (HandlerErrorCode: ${error.code})`;
  }
  return `Internal Failure${error instanceof Error ? ` (${error.name}: ${error.message})` : ''}`;
}
