import type { KeyObject } from 'node:crypto';
import type * as z from 'zod';
import { ApprovalError } from '../../policy/approvals/index.ts';
import type { Policy } from '../../policy/index.ts';
import { MAX_SIGN_REQUEST_BYTES, signRequestSchema } from '../../shared/api/bodies.ts';
import { parseChildPath } from '../../shared/api/child-path.ts';
import { resumeRequestSchema } from '../../shared/api/requests.ts';
import { digestRequest } from '../../shared/api/request-digest.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { importEd25519 } from '../../shared/dsse/index.ts';
import { HttpSignatureError, SIGNATURE_WINDOW_SECONDS } from '../../shared/http-signature/index.ts';
import { parseJson } from '../../shared/json/index.ts';
import type { PeerIdentity } from '../peers/peer-network.ts';
import {
  type Decided,
  type ForwardedConsent,
  type MakeShares,
  type ParticipantPipeline,
  QuorumSigningError,
  type QuorumRecord,
  type VerifiedRequest,
} from '../quorum/signing/index.ts';
import type { Action, Approved, CarryOut, PipelineRequest } from './carry-out.ts';
import { FailedRequest, RefusedRequest } from './errors.ts';
import { longestWait, verifyForwardedConsent } from './forwarded-consent.ts';
import { type ForwardedRequest, verifyForwardedRequest } from './forwarded-request.ts';

const MAX_JSON_DEPTH = 8;

/** A request that another node coordinates: its client has signed it, and nothing is decided. */
interface Forwarded extends VerifiedRequest {
  readonly request: PipelineRequest;
  readonly consent: ForwardedConsent | null;
  readonly from: PeerIdentity;
  /** Seconds since 1970. */
  readonly created: number;
}

export interface ParticipationParts {
  readonly configuration: Configuration;
  readonly policy: Policy;
  readonly carryOut: CarryOut;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** Creates the way of other nodes' requests through this node's own pipeline. */
export function createParticipation(parts: ParticipationParts): ParticipantPipeline<Forwarded> {
  const { configuration, policy, carryOut, now } = parts;
  const keys = new Map(
    configuration.clients.map(({ id, publicKey }) => [id, importEd25519(publicKey)] as const),
  );
  const findKey = (id: string): KeyObject | undefined => keys.get(id);
  const longestWaitSeconds = longestWait(policy);

  function approve(forwarded: Forwarded, consent: ForwardedConsent): Approved {
    const { from, request, created } = forwarded;
    const client = configuration.clients.find(({ id }) => id === request.client);
    const peer = configuration.quorum?.peers.find(({ node }) => node === from.node);
    if (client === undefined || peer === undefined)
      throw new ApprovalError('APPROVAL_OTHER_NODE', 'the configuration names no such node or client');
    return verifyForwardedConsent(consent, {
      policy,
      approvers: configuration.approvers,
      manifest: peer.manifest,
      configuration: from.configuration,
      requester: { publicKey: client.publicKey, person: client.person },
      digest: Buffer.from(digestRequest(request)).toString('hex'),
      created,
      now: now(),
    });
  }

  /** Runs one way through the pipeline, and describes what was recorded. */
  async function run(
    forwarded: Forwarded,
    quorum: QuorumRecord,
    makeShares: MakeShares,
    act: (
      action: Action<Uint8Array>,
      approved: Approved | undefined,
    ) => ReturnType<typeof carryOut.now<Uint8Array>>,
  ): Promise<Decided> {
    const action: Action<Uint8Array> = { act: makeShares, quorum: () => quorum };
    const { request, consent } = forwarded;
    try {
      let approved: Approved | undefined;
      try {
        approved = consent === null ? undefined : approve(forwarded, consent);
      } catch (cause) {
        if (!(cause instanceof ApprovalError)) throw cause;
        return await carryOut.deny(request, { code: cause.code, cause }, action);
      }
      const { rule, result, receipt } = await act(action, approved);
      return { outcome: 'permitted', rule, shares: result, receipt };
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      const { code, receipt } = error;
      const isMismatch = code === ('QUORUM_DECISION_MISMATCH' satisfies QuorumSigningError['code']);
      if (!(error instanceof FailedRequest)) return { outcome: 'denied', code, receipt };
      return { outcome: isMismatch ? 'denied' : 'failed', code, receipt, rule: error.rule };
    }
  }

  return {
    verify: (from, entry) => {
      const { request } = entry;
      if (request.method !== 'POST' || request.target !== '/v1/sign') throw malformed('another operation');
      const { clientId, created, id } =
        entry.consent === null
          ? verifyForwardedRequest(request, { session: from.session, findKey, now: now() })
          : verifyResumed(request, entry.consent, { from, findKey, now: now(), longestWaitSeconds });
      const waitSeconds = entry.consent === null ? 0 : longestWaitSeconds;
      const body = parseBody(request.body, MAX_SIGN_REQUEST_BYTES, signRequestSchema);
      return {
        id,
        key: body.key,
        path: body.path === undefined ? undefined : parseChildPath(body.path),
        // Not by what the coordinator says: it would have the request forgotten, and charged again, or never forgotten.
        expires: (created + waitSeconds + SIGNATURE_WINDOW_SECONDS + 1) * 1000,
        request: { ...body, operation: 'sign', client: clientId },
        consent: entry.consent,
        from,
        created,
      };
    },
    decide: (forwarded, quorum, makeShares) =>
      run(forwarded, quorum, makeShares, (action, approved) =>
        carryOut.now(forwarded.request, action, approved),
      ),
    repeat: (forwarded, quorum, makeShares, rule) =>
      run(forwarded, quorum, makeShares, (action, approved) =>
        carryOut.repeat(forwarded.request, rule, action, approved),
      ),
  };
}

interface ResumedContext {
  readonly from: PeerIdentity;
  readonly findKey: (id: string) => KeyObject | undefined;
  readonly now: number;
  readonly longestWaitSeconds: number;
}

/**
 * Verifies a request that has waited for people: the client has signed now, for this boot of the coordinator, that the
 * request of that id be carried out; and it had signed the request itself, no longer ago than requests wait here, for the
 * boot of the coordinator that it then asked. Which node that was, the votes say.
 *
 * @throws HttpSignatureError; QuorumSigningError QUORUM_MESSAGE_MALFORMED
 */
function verifyResumed(request: ForwardedRequest, consent: ForwardedConsent, context: ResumedContext) {
  const { from, findKey, now, longestWaitSeconds } = context;
  const { resume, id } = consent;
  if (resume.method !== 'POST' || resume.target !== `/v1/requests/${id}`) throw malformed('another request');
  const resumed = verifyForwardedRequest(resume, { session: from.session, findKey, now });
  parseBody(resume.body, resume.body.length, resumeRequestSchema);
  const asked = verifyForwardedRequest(request, {
    session: request.fields['holdfast-session'],
    findKey,
    now,
    maxAgeSeconds: longestWaitSeconds + SIGNATURE_WINDOW_SECONDS,
  });
  if (resumed.clientId !== asked.clientId)
    throw new HttpSignatureError('CLIENT_UNKNOWN', 'another client has signed the request itself');
  return { ...asked, id: `${asked.id} ${id}` };
}

function parseBody<T>(body: Uint8Array, maxBytes: number, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parseJson(body, { maxBytes, maxDepth: MAX_JSON_DEPTH });
  } catch (cause) {
    throw malformed('a body that is not strict JSON', cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw malformed('a body of another form');
  return parsed.data;
}

function malformed(what: string, cause?: unknown): QuorumSigningError {
  return new QuorumSigningError(
    'QUORUM_MESSAGE_MALFORMED',
    `expected a request to sign, found ${what}`,
    {},
    { cause },
  );
}
