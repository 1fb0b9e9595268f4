import type { Transport } from '../transport/transport.ts';
import type { ControlRequest, ControlResponse } from './control.ts';
import { CONTROL_SERVICE } from './control-service.ts';
import { ControlError } from './errors.ts';
import { LostResponse, RequestLink } from './request-link.ts';
import type { ResponseTo } from './request-service.ts';

/** The link of the control service, with what its store needs beside: one owner, and commits whose outcome counts. */
export class ControlLink extends RequestLink<ControlRequest, ControlResponse> {
  #hasAskedStore = false;

  constructor(transport: Transport) {
    super(transport, CONTROL_SERVICE, (code, message, details, cause) => {
      return new ControlError(`CONTROL_${code}`, message, details, cause);
    });
  }

  override async askOnce<Asked extends ControlRequest>(
    request: Asked,
    end: number,
  ): Promise<ResponseTo<Asked, ControlResponse>> {
    const hasAskedStore = this.#hasAskedStore;
    if (request.type.startsWith('store-')) this.#hasAskedStore = true;
    try {
      return await super.askOnce(request, end);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      // The parent may still hold our own lost connection for the owner of the store.
      if (error.code === 'CONTROL_STORE_BUSY' && hasAskedStore) throw new LostResponse(false, error);
      if (error.code === 'CONTROL_TIMEOUT' && request.type === 'store-commit') {
        throw new ControlError('CONTROL_COMMIT_UNRESOLVED', 'no answer to a commit in time', {}, error.cause);
      }
      throw error;
    }
  }
}
