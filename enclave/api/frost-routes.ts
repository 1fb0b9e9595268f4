import {
  type FrostRound1Answer,
  frostRound1RequestSchema,
  type FrostRound2Answer,
  frostRound2RequestSchema,
  shareImportRequestSchema,
} from '../../shared/node/api.ts';
import { commitNonces, type ImportKey, NonceStore, openShare, signShare } from '../frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import type { ApiContext, Authorise } from './context.ts';
import type { Route } from './router.ts';

/** What these routes need beside the context: one boot's import key and session. */
export interface FrostRoutesInput extends ApiContext {
  readonly importKey: ImportKey;
  /** Hex. */
  readonly session: string;
}

/** The algorithm to decide with: a key that is not a share is then refused as UNKNOWN_KEY or ALGORITHM_MISMATCH. */
function shareAlgorithm(keyring: Keyring, id: string) {
  return keyring.shareEntry(id)?.type ?? 'frost-ed25519';
}

/** PUT /v1/keys/{id}/share: takes in a share that was encrypted for this node, boot and key. */
export function createShareImportRoute(input: FrostRoutesInput, authorise: Authorise): Route {
  const { keyring, importKey, session, measured, signed } = input;
  const { node, quorum } = measured.manifest;
  return {
    method: 'PUT',
    path: /^\/v1\/keys\/([a-z0-9][a-z0-9._-]{0,62})\/share$/,
    isSigned: true,
    act: async ({ client, captures, parse }) => {
      const [id = ''] = captures;
      const request = parse(shareImportRequestSchema);
      const algorithm = shareAlgorithm(keyring, id);
      const rule = authorise({ operation: 'import-share', client, key: id, algorithm });
      keyring.assertNoShare(id);
      const { publicKey, commitments } = keyring.shareEntry(id) ?? {};
      const share = openShare(
        request,
        importKey,
        { manifest: measured.digest, session, key: id },
        {
          type: algorithm,
          participant: node,
          threshold: quorum.threshold,
          participants: quorum.size,
          publicKey,
          commitments,
        },
      );
      await keyring.takeShare(id, share);
      return {
        publicKey: Buffer.from(share.publicKey).toString('hex'),
        rule,
        configuration: signed.configuration.version,
      };
    },
  };
}

/** POST /v1/frost/round1 and /v1/frost/round2, on nonces that this memory alone has. */
export function createFrostRoutes({ keyring, signed }: FrostRoutesInput, authorise: Authorise): Route[] {
  const nonces = new NonceStore();
  return [
    {
      method: 'POST',
      path: /^\/v1\/frost\/round1$/,
      isSigned: true,
      act: ({ client, parse }): FrostRound1Answer => {
        const { key } = parse(frostRound1RequestSchema);
        authorise({ operation: 'commit', client, key, algorithm: shareAlgorithm(keyring, key) });
        return commitNonces(nonces, { client, key, share: keyring.share(key), now: performance.now() });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/frost\/round2$/,
      isSigned: true,
      act: ({ client, parse }): FrostRound2Answer => {
        const { key, handle, payload, commitments } = parse(frostRound2RequestSchema);
        const algorithm = shareAlgorithm(keyring, key);
        const rule = authorise({ operation: 'sign', client, key, algorithm, payload: payload.kind });
        const share = keyring.share(key);
        const signatureShare = signShare(nonces, {
          client,
          key,
          share,
          handle,
          commitments,
          payload,
          now: performance.now(),
        });
        return {
          participant: share.participant,
          signatureShare: Buffer.from(signatureShare).toString('hex'),
          rule,
          configuration: signed.configuration.version,
        };
      },
    },
  ];
}
