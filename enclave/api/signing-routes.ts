import {
  type FrostRound1Response,
  frostRound1RequestSchema,
  type FrostRound2Response,
  frostRound2RequestSchema,
  type ShareImportResponse,
  shareImportRequestSchema,
  type SignResponse,
  signRequestSchema,
} from '../../shared/api/bodies.ts';
import type { SigningPipeline } from '../signing/index.ts';
import type { Route, RouteInput } from './router.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Creates a route whose requests a client must sign. */
function signedRoute(method: Route['method'], path: RegExp, act: (input: RouteInput) => unknown): Route {
  return { method, path, isSigned: true, act };
}

/** Creates the routes to keys and shares. Each translates between JSON and the pipeline, which decides. */
export function createSigningRoutes(pipeline: SigningPipeline): Route[] {
  return [
    signedRoute('GET', /^\/v1\/keys$/, () => ({ keys: pipeline.listKeys(), store: pipeline.storeUsage })),
    signedRoute('POST', /^\/v1\/sign$/, async ({ client, parse }): Promise<SignResponse> => {
      const { result, rule, configuration } = await pipeline.sign(client, parse(signRequestSchema));
      const { signature, publicKey, recovery } = result;
      return {
        signature: hex(signature),
        ...(recovery === undefined ? {} : { recovery }),
        publicKey: hex(publicKey),
        rule,
        configuration,
      };
    }),
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
    signedRoute('POST', /^\/v1\/frost\/round2$/, async ({ client, parse }): Promise<FrostRound2Response> => {
      const request = parse(frostRound2RequestSchema);
      const { result, rule, configuration } = await pipeline.signShare(client, request);
      return {
        participant: result.participant,
        signatureShare: hex(result.signatureShare),
        rule,
        configuration,
      };
    }),
  ];
}
