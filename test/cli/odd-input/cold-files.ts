import { openColdNode, decideColdRequest } from '../../../cold/index.ts';
import { createColdRequest, openColdIdentity } from '../../../shared/cold/index.ts';
import {
  coldConfiguration,
  coldOptions,
  MANIFEST,
  PASSPHRASE,
  people,
  signCold,
} from '../../cold/cold-files.ts';

type Save = (name: string, content: string | Uint8Array) => string;

/**
 * Makes a cold node in a folder, a request to it and its response.
 *
 * @returns values with which the verbs of a cold node do their work
 */
export async function makeColdFiles(
  folder: string,
  save: Save,
): Promise<readonly (readonly [string, string])[]> {
  const options = await coldOptions({ folder });
  const node = await openColdNode({ ...options, isNew: true });
  const identity = node.identity();
  const created = Date.now();
  const request = (text: string) =>
    createColdRequest(
      {
        manifest: openColdIdentity(identity).manifest,
        client: 'treasury',
        created,
        notAfter: created + 86_400_000,
        checkpoint: null,
        ask: {
          type: 'sign',
          request: {
            key: 'messages',
            algorithm: 'ed25519',
            payload: { kind: 'message', message: Buffer.from(text).toString('hex') },
          },
        },
      },
      people.client.privateKey,
    );
  const decided = request('decided');
  const { response } = await decideColdRequest(node, decided);
  await node.close();
  const files = {
    manifest: save('cold-manifest.json', MANIFEST),
    configuration: save('cold-configuration.json', signCold(coldConfiguration(1))),
    passphrase: save('cold-passphrase', PASSPHRASE),
    identity: save('cold-identity.json', identity),
  };
  const ofNode = ['cold init', 'cold identity', 'cold sign'].flatMap((verb) => [
    [`${verb} --manifest`, files.manifest] as const,
    [`${verb} --configuration`, files.configuration] as const,
    [`${verb} --passphrase-file`, files.passphrase] as const,
    [`${verb} FOLDER`, folder] as const,
  ]);
  return [
    ...ofNode,
    ['cold init FOLDER', `${folder}-new`],
    ['cold sign REQUEST', save('cold-request.json', request('to be decided'))],
    ['cold open RESPONSE', save('cold-response.json', response)],
    ['cold open --request', save('cold-decided.json', decided)],
    ['cold open --configuration', files.configuration],
    ['--identity', files.identity],
    ['cold request KEY', 'messages'],
    ['cold request --client', 'treasury'],
    ['cold request --client-key', save('cold-client.pem', people.client.pem)],
    ['cold request --last', save('cold-last.json', response)],
    ['cold request --days', '7'],
  ];
}
