import { InternalError } from '../../shared/errors.ts';
import {
  type ExplainResponse,
  MAX_EXPLAINED_RULES,
  MAX_REQUEST_BYTES,
  MAX_SIGN_REQUEST_BYTES,
  type ShareImportResponse,
  shareImportRequestSchema,
  type SignResponse,
  signRequestSchema,
  type WaitingResponse,
} from '../../shared/api/bodies.ts';
import type { CarriedOut, IndexedSignature, SigningPipeline, Waiting } from '../signing/index.ts';
import { Accepted, type Route, type RouteInput } from './router.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Creates a route whose requests a client must sign. */
function signedRoute(
  method: Route['method'],
  path: RegExp,
  act: (input: RouteInput) => unknown,
  maxBytes = MAX_REQUEST_BYTES,
): Route {
  return { method, path, isSigned: true, maxBytes, act };
}

/** Describes signatures as a response has them: the first by itself, and all of them where they are of inputs. */
function describeSignatures(signatures: readonly IndexedSignature[]) {
  const [first] = signatures;
  if (first === undefined) throw new InternalError('expected a signature');
  const { signature, publicKey, recovery, index } = first;
  return {
    signature: hex(signature),
    ...(recovery === undefined || index !== undefined ? {} : { recovery }),
    publicKey: hex(publicKey),
    ...(index === undefined ? {} : { inputs: signatures.map(describeInput) }),
  };
}

function describeInput({ index = 0, signature, publicKey }: IndexedSignature) {
  return { index, signature: hex(signature), publicKey: hex(publicKey) };
}

/** Describes a request that was signed: its signatures, and what has allowed them. */
export function describeSigned(
  { result, rule, receipt, receipts }: CarriedOut<readonly IndexedSignature[]>,
  configuration: number,
): SignResponse {
  return {
    ...describeSignatures(result),
    rule,
    configuration,
    receipt,
    ...(receipts.length === 0 ? {} : { receipts: [...receipts] }),
  };
}

/** Describes the outcome of a request to sign: its signatures, or that it waits for approvals. */
export function describeOutcome(
  outcome: CarriedOut<readonly IndexedSignature[]> | Waiting,
  configuration: number,
): SignResponse | Accepted {
  if (outcome.outcome === 'permitted') return describeSigned(outcome, configuration);
  const { id, expires, rule, receipt } = outcome;
  const body: WaitingResponse = { waiting: { id, expires }, rule, configuration, receipt };
  return new Accepted(body);
}

/** Creates the routes to keys and shares. Each translates between JSON and the pipeline, which decides. */
export function createSigningRoutes(pipeline: SigningPipeline, configuration: number): Route[] {
  return [
    signedRoute('GET', /^\/v1\/keys$/, () => ({ keys: pipeline.listKeys(), store: pipeline.storeUsage })),
    signedRoute(
      'POST',
      /^\/v1\/sign$/,
      async ({ client, forward, parse }) =>
        describeOutcome(await pipeline.sign(client, parse(signRequestSchema), forward), configuration),
      MAX_SIGN_REQUEST_BYTES,
    ),
    signedRoute(
      'POST',
      /^\/v1\/explain$/,
      ({ client, parse }): ExplainResponse => {
        const { rules, reasons, ...explained } = pipeline.explain(client, parse(signRequestSchema));
        return {
          ...explained,
          reasons: [...reasons],
          rules: rules.slice(0, MAX_EXPLAINED_RULES),
          configuration,
        };
      },
      MAX_SIGN_REQUEST_BYTES,
    ),
    signedRoute(
      'PUT',
      /^\/v1\/keys\/([a-z0-9][a-z0-9._-]{0,62})\/share$/,
      async ({ client, captures, parse }): Promise<ShareImportResponse> => {
        const [key = ''] = captures;
        const request = { ...parse(shareImportRequestSchema), key };
        const { result, rule, receipt } = await pipeline.importShare(client, request);
        return { publicKey: hex(result.publicKey), rule, configuration, receipt };
      },
    ),
  ];
}
