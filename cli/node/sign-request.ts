import type { Signed } from '../../client/index.ts';
import type { KeyInfo, SignRequest } from '../../shared/api/bodies.ts';
import type { CommandInput } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { readIdentifier } from './connection.ts';
import { chooseAlgorithm, readAlgorithm, readPayload } from './payload.ts';

/**
 * Reads a request to sign from the command line.
 *
 * @returns completes the request by the node's keys, where no algorithm is named
 * @throws UsageError; CliError PAYLOAD_FILE_MALFORMED, and from the function KEY_UNKNOWN, KEY_UNSUITABLE
 */
export async function readSignRequest(
  input: CommandInput,
): Promise<(listKeys: () => Promise<readonly KeyInfo[]>) => Promise<SignRequest>> {
  const key = readIdentifier(input.positionals[0], 'KEY');
  const payload = await readPayload(input);
  const named = readAlgorithm(input.text('algorithm'));
  return async (listKeys) => {
    const algorithm = named ?? chooseFor(await listKeys(), key, payload.kind);
    return { key, algorithm, payload };
  };
}

function chooseFor(held: readonly KeyInfo[], id: string, kind: Parameters<typeof chooseAlgorithm>[1]) {
  const type = held.find((key) => key.id === id)?.type;
  if (type === undefined) throw new CliError('KEY_UNKNOWN', 'the node has no such key', { key: id });
  const algorithm = chooseAlgorithm(type, kind);
  if (algorithm !== undefined) return algorithm;
  throw new CliError('KEY_UNSUITABLE', 'no algorithm of this key takes such a payload', {
    key: id,
    type,
    kind,
  });
}

/** Describes signatures in lines, and what has allowed them. */
export function describeSigned({
  signature,
  recovery,
  publicKey,
  rule,
  configuration,
  inputs,
}: Signed): string {
  return [
    ...(inputs?.map((input) => `${input.signature}  input ${input.index}`) ?? [signature]),
    ...(recovery === undefined ? [] : [`  recovery    ${recovery}`]),
    `  public key  ${publicKey}`,
    `  allowed by  rule ${rule}, configuration ${configuration}`,
  ].join('\n');
}
