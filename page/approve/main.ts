import {
  decodeDocumentFile,
  describeTrustAnchor,
  parsePcrFile,
  verifyAttestationDocument,
} from '../../attestation/browser.ts';
import { computeManifestPcr, MANIFEST_PCR } from '../../attestation/measurement.ts';
import {
  createStatement,
  decodeReviewPart,
  parseReview,
  presentReview,
  type VerifiedReview,
  verifyReview,
} from '../../policy/approvals/index.ts';
import type { ReviewResponse } from '../../shared/api/requests.ts';
import { byId, element } from '../dom.ts';
import { fetchReview, type RequestAddress, sendVote } from './door.ts';
import { listPasskeys, registerPasskey, signStatement } from './passkey.ts';
import { PageError, readFile, readRoot, TrustFiles } from './trust.ts';
import { describeError, showOutcome, showRefusal, showRequest } from './view.ts';

const IDENTIFIER = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const trust = new TrustFiles();

/** The request that is shown, and where votes on it go; undefined while none is shown. */
let shown: { readonly review: VerifiedReview; readonly address: RequestAddress | undefined } | undefined;

/** Takes a request's address from the fragment, `#door=https://…&id=…`, which no server sees. */
function readFragment(): void {
  const fragment = new URLSearchParams(location.hash.slice(1));
  for (const id of ['door', 'id']) byId(id, HTMLInputElement).value = fragment.get(id) ?? '';
}

function readAddress(): RequestAddress | undefined {
  const door = byId('door', HTMLInputElement).value.trim();
  const id = byId('id', HTMLInputElement).value.trim();
  if (door === '' && id === '') return undefined;
  const url = URL.canParse(door) ? new URL(door) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.origin}/` !== url.href)
    throw new PageError('The address is https://host:port and nothing more.');
  if (!/^[0-9a-f]{32}$/.test(id)) throw new PageError('The id of a request has 32 hex digits.');
  return { door: url.origin, id };
}

async function readReview(address: RequestAddress | undefined): Promise<ReviewResponse> {
  const [file] = byId('review', HTMLInputElement).files ?? [];
  if (file !== undefined) return parseReview(await readFile(file));
  if (address === undefined)
    throw new PageError('Enter the address and the id of a request, or choose a file.');
  return await fetchReview(address);
}

/** Verifies a review from the attestation document to the transaction. @throws AttestationError, ReviewError, PageError */
async function verify(review: ReviewResponse, id: string | undefined) {
  const manifest = trust.get('manifest');
  const expectedPcr16 = computeManifestPcr(manifest);
  const pcrs = new Map([
    ...parsePcrFile(trust.get('pcrs'), { allowDebug: false }),
    [MANIFEST_PCR, expectedPcr16],
  ]);
  const now = Date.now();
  const document = await verifyAttestationDocument(decodeDocumentFile(decodeReviewPart(review.document)), {
    root: await readRoot(),
    at: now,
    pcrs,
  });
  const attested = { pcr16: document.pcrs.get(MANIFEST_PCR), userData: document.userData };
  return {
    review: verifyReview(review, { manifest, node: { attested, expectedPcr16 }, id, now }),
    root: describeTrustAnchor(document),
  };
}

async function show(): Promise<void> {
  shown = undefined;
  byId('decision', HTMLFormElement).hidden = true;
  byId('outcome', HTMLElement).replaceChildren();
  try {
    // A page that frames this one could cover what it shows.
    if (window.top !== window.self) throw new PageError('Open this page by itself, not within another one.');
    const address = readAddress();
    const { review, root } = await verify(await readReview(address), address?.id);
    showRequest(presentReview(review), root);
    offerDecision(review);
    shown = { review, address };
  } catch (error) {
    showRefusal(error);
  }
  byId('verdict', HTMLElement).focus();
}

/** Offers the people whom the rule asks and who have a passkey for this page. */
function offerDecision({ pending, configuration }: VerifiedReview): void {
  const asked = new Set(pending.needs.flatMap(({ approvers }) => approvers));
  const people = configuration.approvers.filter(
    (entry) => asked.has(entry.id) && listPasskeys(entry).length > 0,
  );
  byId('approver', HTMLSelectElement).replaceChildren(
    ...people.map(({ id }) => element('option', { value: id }, id)),
  );
  byId('decision', HTMLFormElement).hidden = people.length === 0;
  if (people.length === 0) {
    showOutcome(
      'outcome',
      'Nobody can decide here',
      'The configuration names no passkey for this page of anybody whom the rule asks.',
    );
  }
}

async function decide(decision: 'approve' | 'reject'): Promise<void> {
  if (shown === undefined) return;
  const { review, address } = shown;
  const id = byId('approver', HTMLSelectElement).value;
  const approver = review.configuration.approvers.find((entry) => entry.id === id);
  if (approver === undefined) throw new PageError('Choose who you are.');
  const vote = await signStatement(createStatement(review, id, decision), approver);
  if (address === undefined) {
    const text = JSON.stringify(vote);
    showOutcome(
      'outcome',
      'Signed',
      element('p', {}, 'Send this to the node: POST /v1/requests/{id}/votes'),
      element('pre', { tabindex: '0' }, text),
    );
    return;
  }
  await sendVote(address, vote);
  await confirmVote(address, id, decision);
}

/** Asks the node whether the vote counts: the parent's word is not enough. */
async function confirmVote(address: RequestAddress, approver: string, decision: string): Promise<void> {
  const { review } = await verify(await fetchReview(address), address.id);
  const isCounted = review.pending.votes.some(
    (vote) => vote.approver === approver && vote.decision === decision,
  );
  if (!isCounted)
    throw new PageError("The vote was sent, and the node's signed list of votes does not have it.");
  showOutcome(
    'outcome',
    decision === 'approve' ? 'Approved' : 'Rejected',
    'The node has signed that your vote counts.',
  );
}

byId('inputs', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void show();
});
byId('decision', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const decision = event.submitter?.id === 'reject' ? 'reject' : 'approve';
  decide(decision).catch((error: unknown) => showOutcome('outcome', 'Not recorded', ...describeError(error)));
});
byId('registration', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void register();
});

async function register(): Promise<void> {
  try {
    const name = byId('name', HTMLInputElement).value.trim();
    if (!IDENTIFIER.test(name)) throw new PageError('An id has lower-case letters, digits, dots and dashes.');
    const entry = await registerPasskey(name);
    showOutcome(
      'entry',
      'For the configuration',
      element(
        'p',
        {},
        'Give this to whoever writes the configuration, by a way on which nobody can change it:',
      ),
      element('pre', { tabindex: '0' }, JSON.stringify(entry, null, 2)),
    );
  } catch (error) {
    showOutcome('entry', 'No passkey was made', ...describeError(error));
  }
}

readFragment();
window.addEventListener('hashchange', readFragment);
