import { sign as signBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { createStatement, encodeApprovalMessage, type VerifiedReview } from '../../policy/approvals/index.ts';
import type { VoteRequest } from '../../shared/api/requests.ts';
import { type Command, type CommandInput, type Io, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { ApproveError } from './errors.ts';
import { describeReview, reviewData } from './report.ts';
import { fetchReview, sendVote } from './request-address.ts';
import { readReview, REVIEW_OPTIONS, verify } from './review-input.ts';

const IDENTIFIER = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** Hex digits of the request's digest that a person types: a text of another request does not have them. */
const TYPED_DIGITS = 8;
const WHERE = `${'0f'.repeat(16)} --url https://127.0.0.1:8443 --pcrs pcr.json --manifest manifest.json`;
const AS = '--approver alice --key alice.pem';

const VOTE_OPTIONS = {
  ...REVIEW_OPTIONS,
  approver: { type: 'string', value: 'ID', required: true, description: 'your id in the configuration' },
  key: { type: 'string', value: 'PEM', required: true, description: 'your Ed25519 private key (PKCS #8)' },
  'yes-digest': {
    type: 'string',
    value: 'HEX',
    description: 'the whole digest of the request that you have read, in place of the question',
  },
  output: { type: 'string', value: 'FILE', description: 'with --file: keep the vote there' },
} as const;

const show: Command = {
  name: 'approve show',
  summary: 'Verify a request that waits for approvals, and show what it does.',
  positionals: '[ID]',
  options: REVIEW_OPTIONS,
  examples: [
    `holdfast approve show ${WHERE}`,
    'holdfast approve show --file review.json --pcrs pcr.json --manifest manifest.json --json',
  ],
  run: async (input) => {
    const { review } = await readReview(input);
    return { ok: true, text: describeReview(review), data: reviewData(review) };
  },
};

const approve: Command = {
  name: 'approve sign',
  summary: 'Approve a request with a key file, after it was verified and shown.',
  positionals: '[ID]',
  options: VOTE_OPTIONS,
  examples: [`holdfast approve sign ${WHERE} ${AS}`],
  run: (input) => vote(input, 'approve'),
};

const reject: Command = {
  name: 'approve reject',
  summary: 'Reject a request with a key file, for good.',
  positionals: '[ID]',
  options: VOTE_OPTIONS,
  examples: [`holdfast approve reject ${WHERE} ${AS}`],
  run: (input) => vote(input, 'reject'),
};

export const commands: readonly Command[] = [show, approve, reject];

async function vote(input: CommandInput, decision: 'approve' | 'reject') {
  const approver = input.text('approver') ?? '';
  if (!IDENTIFIER.test(approver)) throw new UsageError('--approver is no id that a configuration can have');
  const { privateKey, publicKey } = await readSigningKey(input.text('key') ?? '');
  const { review, address, trust } = await readReview(input);
  await confirmDigest(input, review, decision);
  const statement = createStatement(review, approver, decision);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const signature = signBytes(null, encodeApprovalMessage(statement), privateKey);
  const signed: VoteRequest = {
    statement: base64(statement),
    proof: { type: 'ed25519', publicKey, signature: base64(signature) },
  };
  const data = { ...reviewData(review), approver, decision, vote: signed };
  const output = input.text('output');
  if (address === undefined) {
    if (output !== undefined) await writeOutput(output, Buffer.from(JSON.stringify(signed)));
    const text = output === undefined ? JSON.stringify(signed) : `the vote is in ${output}`;
    return { ok: true, text, data };
  }
  await sendVote(address, signed);
  const { pending } = verify(await fetchReview(address), address.id, trust);
  if (!pending.votes.some((cast) => cast.approver === approver && cast.decision === decision)) {
    throw new ApproveError('VOTE_NOT_COUNTED', "the node's signed list of votes does not have the vote");
  }
  const text = `${decision === 'approve' ? 'approved' : 'rejected'}: the node has signed that the vote counts`;
  return { ok: true, text, data: { ...data, votes: pending.votes } };
}

/**
 * Has the person type the start of the request's digest, which stands at the end of what was shown.
 *
 * @throws UsageError without a terminal and without --yes-digest; ApproveError DIGEST_NOT_CONFIRMED; CliError DECLINED
 */
async function confirmDigest(
  { text, io }: CommandInput,
  review: VerifiedReview,
  decision: string,
): Promise<void> {
  const { digest } = review.pending;
  const typed = text('yes-digest');
  if (typed !== undefined) {
    if (typed.toLowerCase() === digest) return;
    throw new ApproveError('DIGEST_NOT_CONFIRMED', 'the digest is not that of the request', {
      expected: digest,
      actual: typed,
    });
  }
  if ((io.stdin as { isTTY?: boolean }).isTTY !== true || io.stderr.isTTY !== true)
    throw new UsageError('without a terminal, --yes-digest names the request that you have read');
  io.stderr.write(`${describeReview(review)}\n\n`);
  const answer = await ask(io, `To ${decision} this, type the first ${TYPED_DIGITS} digits of its digest: `);
  if (answer.trim().toLowerCase() === digest.slice(0, TYPED_DIGITS)) return;
  throw new CliError('DECLINED', 'nothing was signed');
}

async function ask({ stdin, stderr, signal }: Io, question: string): Promise<string> {
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    return await Promise.race([lines.question(question, { signal }), once(lines, 'close').then(() => '')]);
  } catch (error) {
    if (!signal.aborted) throw error;
    return '';
  } finally {
    lines.close();
  }
}
