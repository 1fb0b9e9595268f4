import { parseChildPath } from '../../shared/api/child-path.ts';
import { InternalError } from '../../shared/errors.ts';
import type { Keyring } from '../keyring/index.ts';
import { assertEnabled, type PoolKeys } from '../pools/index.ts';
import {
  type Coordinator,
  type DecisionSubject,
  type JointSignatures,
  QuorumSigningError,
} from '../quorum/signing/index.ts';
import type { SignAction } from './resume.ts';
import { type IndexedSignature, recordSignature, signAll } from './signatures.ts';

/**
 * Creates the way to sign a request that is permitted: with a whole key by this node alone, with a share together with the
 * other nodes.
 */
export function createSignAction(
  keyring: Keyring,
  coordinator: Coordinator | undefined,
  pools?: PoolKeys,
): SignAction {
  return ({ key: id, algorithm, path: text }, { signed, consent }) => {
    const path = text === undefined ? undefined : parseChildPath(text);
    let joint: JointSignatures | undefined;
    const signTogether = async (subject: DecisionSubject) => {
      // Says SHARE_MISSING where this node has none.
      keyring.share(id);
      if (coordinator === undefined)
        throw new QuorumSigningError('QUORUM_UNREACHABLE', 'the configuration names no other nodes');
      if (signed === undefined) throw new InternalError('expected the request as its client has signed it');
      joint = await coordinator.sign({ ...subject, key: id, path, request: signed, consent });
      return withIndices(joint, subject);
    };
    // What a request names is found by the policy first: without that nobody comes here.
    const isOfPool = pools?.find(id) !== undefined;
    const findKey = () => {
      if (!isOfPool) return keyring.key(id);
      const served = pools.find(id);
      if (served !== undefined) assertEnabled(served.record);
      return served?.key();
    };
    return {
      ...(isOfPool && { onEntry: () => pools.use(id) }),
      act: (subject) => {
        const key = findKey();
        return key === undefined ? signTogether(subject) : signAll(key, algorithm, subject.signings);
      },
      signaturesOf: (made) => made.map(recordSignature),
      quorum: () => joint?.quorum,
      receipts: () => joint?.receipts ?? [],
    };
  };
}

function withIndices({ signatures }: JointSignatures, { signings }: DecisionSubject): IndexedSignature[] {
  return signatures.map((signature, place) => ({ ...signature, index: signings[place]?.index }));
}
