import {
  describeNeeds,
  describeTransaction,
  type Explained,
  explainRequest,
  gatherPublicKeys,
  isOver,
  readRequestFile,
  readTransaction,
} from '../../policy/analysis/index.ts';
import { AnalysisError } from '../../policy/analysis/errors.ts';
import { preparePolicy } from '../../policy/index.ts';
import { encodeTransaction } from '../../policy/transactions/json.ts';
import { MAX_SIGN_REQUEST_BYTES } from '../../shared/api/bodies.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { type Command, type CommandInput, type Outcome, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { printable } from '../common/printable.ts';
import { readConfigurationFile, readMoment } from './file.ts';
import { KEYS, readKeysFile } from './keys-file.ts';
import { AT } from './lint.ts';

export const explainCommand: Command = {
  name: 'config explain',
  summary:
    'Say what a configuration decides on a request, and for each rule the first condition that does not hold. Limits are taken as unspent and rates as full.',
  positionals: 'FILE REQUEST',
  options: { keys: KEYS, at: AT },
  examples: [
    'holdfast config explain configuration.json request.json',
    'holdfast config explain configuration.json request.json --keys keys.json --at 2026-12-01T12:00:00Z --json',
  ],
  run: runExplain,
};

async function runExplain({ positionals, text, io }: CommandInput): Promise<Outcome> {
  const [path = '', requestPath = ''] = positionals;
  const now = readMoment(text('at'), '--at');
  const { configuration } = await readConfigurationFile(path, io);
  const given = await readKeysFile(text('keys'), io);
  const bytes = await readInput(requestPath, io, MAX_SIGN_REQUEST_BYTES);
  const request = inFile(requestPath, () => readRequestFile(parseRequest(bytes)));
  const publicKeys = gatherPublicKeys(configuration, given);
  const transaction = inFile(requestPath, () => readTransaction(request, configuration, publicKeys));
  const { client, key, algorithm, payload } = request;
  const asked = { operation: 'sign', client, key, algorithm, payload: payload.kind, transaction } as const;
  const explained = explainRequest(preparePolicy(configuration), asked, now);
  const expired = isOver(configuration, now);
  const lines = [
    ...(transaction === undefined ? [] : describeTransaction(transaction, configuration.addressBooks)),
    ...(expired
      ? ['the configuration has expired: a node denies every request (CONFIGURATION_EXPIRED)']
      : []),
    ...describeExplained(explained),
  ];
  return {
    ok: true,
    text: lines.map(printable).join('\n'),
    data: {
      ...explained,
      expired,
      transaction: transaction === undefined ? null : encodeTransaction(transaction),
    },
  };
}

/** Describes an explanation in lines: the decision, and what each rule says. */
function describeExplained({ outcome, rule, code, needs, rules }: Explained): string[] {
  const decision = {
    permitted: `permitted by rule ${rule ?? ''}`,
    pending: `waits under rule ${rule ?? ''} for ${describeNeeds(needs)}`,
    denied: `denied: ${code ?? ''}`,
  }[outcome];
  const lines = rules
    .filter(({ effect, matches }) => effect === 'permit' || matches)
    .map((each) => {
      if (!each.matches) return `  ${each.words ?? each.rule}`;
      return `  rule ${each.rule}: ${each.effect === 'deny' ? 'denies' : 'matches'}`;
    });
  return [decision, ...lines];
}

function parseRequest(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: MAX_SIGN_REQUEST_BYTES, maxDepth: 4 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new AnalysisError('REQUEST_FILE_MALFORMED', 'the request is not strict JSON', {}, error);
  }
}
