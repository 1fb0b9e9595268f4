import type { ServerResponse } from 'node:http';
import { MAX_PEER_COSIGN_BYTES } from '../../shared/api/witness.ts';
import { errorCode } from '../../shared/errors.ts';
import type { WholeRequest } from '../../shared/http/index.ts';
import { type Door, type DoorPlace, hangUp, openDoor, sendBytes } from '../common/door.ts';
import type { Log } from '../common/log.ts';

/** Requests that are being carried at once: each peer has one under way. */
const MAX_UNDER_WAY = 32;
const MAX_CONNECTIONS = 128;
/** Longest response: the line of a cosignature, or a code. */
const MAX_RESPONSE_BYTES = 8 * 1024;
const PATH = '/add-checkpoint';
const TEXT = 'text/plain; charset=utf-8';
const NOTHING = new Uint8Array();

/**
 * Opens the door by which the parents of peers reach the enclave as a witness: plain HTTP that carries the one route of
 * C2SP tlog-witness, `POST /add-checkpoint`, and nothing else. Nobody believes the door: the log has signed what goes in,
 * and the enclave what comes out.
 *
 * @throws ParentOptionError OPTION_INVALID where the address is not to be had
 */
export async function openWitnessDoor({ log, ...place }: DoorPlace & { readonly log: Log }): Promise<Door> {
  return await openDoor(place, {
    users: 'peers',
    maxConnections: MAX_CONNECTIONS,
    maxUnderWay: MAX_UNDER_WAY,
    maxBodyBytes: MAX_PEER_COSIGN_BYTES,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    admit,
    refuse,
    respond: (response, { status, body, type = TEXT }) => sendBytes(response, status, body, type),
    onFailure: (error) => log('warn', 'witness-door.not-carried', { code: errorCode(error) }),
  });
}

function admit(request: WholeRequest, response: ServerResponse): boolean {
  if (request.url !== PATH) sendBytes(response, 404, NOTHING, TEXT);
  else if (request.method !== 'POST') sendBytes(response.setHeader('allow', 'POST'), 405, NOTHING, TEXT);
  else if (request.contentLength > MAX_PEER_COSIGN_BYTES) refuse(response, 413);
  else return true;
  return false;
}

const refuse = (response: ServerResponse, status: number) => hangUp(response, status, NOTHING, TEXT);
