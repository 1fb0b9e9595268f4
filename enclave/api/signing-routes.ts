import { InternalError } from '../../shared/errors.ts';
import {
  MAX_REQUEST_BYTES,
  MAX_SIGN_REQUEST_BYTES,
  type FrostRound1Response,
  frostRound1RequestSchema,
  type FrostRound2Response,
  frostRound2RequestSchema,
  type ShareImportResponse,
  shareImportRequestSchema,
  type SignResponse,
  signRequestSchema,
} from '../../shared/api/bodies.ts';
import type { IndexedSignature, SigningPipeline } from '../signing/index.ts';
import type { Route, RouteInput } from './router.ts';

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

/** Creates the routes to keys and shares. Each translates between JSON and the pipeline, which decides. */
export function createSigningRoutes(pipeline: SigningPipeline): Route[] {
  return [
    signedRoute('GET', /^\/v1\/keys$/, () => ({ keys: pipeline.listKeys(), store: pipeline.storeUsage })),
    signedRoute(
      'POST',
      /^\/v1\/sign$/,
      async ({ client, parse }): Promise<SignResponse> => {
        const { result, rule, configuration } = await pipeline.sign(client, parse(signRequestSchema));
        return { ...describeSignatures(result), rule, configuration };
      },
      MAX_SIGN_REQUEST_BYTES,
    ),
    signedRoute(
      'PUT',
      /^\/v1\/keys\/([a-z0-9][a-z0-9._-]{0,62})\/share$/,
      async ({ client, captures, parse }): Promise<ShareImportResponse> => {
        const [key = ''] = captures;
        const request = { ...parse(shareImportRequestSchema), key };
        const { result, rule, configuration } = await pipeline.importShare(client, request);
        return { publicKey: hex(result.publicKey), rule, configuration };
      },
    ),
    signedRoute('POST', /^\/v1\/frost\/round1$/, async ({ client, parse }): Promise<FrostRound1Response> => {
      const { result } = await pipeline.commit(client, parse(frostRound1RequestSchema));
      return result;
    }),
    signedRoute(
      'POST',
      /^\/v1\/frost\/round2$/,
      async ({ client, parse }): Promise<FrostRound2Response> => {
        const request = parse(frostRound2RequestSchema);
        const { result, rule, configuration } = await pipeline.signShare(client, request);
        return {
          participant: result.participant,
          signatureShare: hex(result.signatureShare),
          rule,
          configuration,
        };
      },
      MAX_SIGN_REQUEST_BYTES,
    ),
  ];
}
