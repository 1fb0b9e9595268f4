import { type Fact, type Presentation } from '../../policy/approvals/index.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { byId, element } from '../dom.ts';
import { PageError } from './trust.ts';

/** Shows what a verified request does; every text went through makeSafe, and becomes a text node. */
export function showRequest(
  { effects, warnings, facts }: Presentation,
  root: { isAws: boolean; name: string },
): void {
  const section = byId('verdict', HTMLElement);
  section.dataset['verdict'] = 'verified';
  section.replaceChildren(
    element('h2', {}, 'The node asks for your consent to this'),
    ...(root.isAws
      ? []
      : [element('p', { class: 'warning' }, `The enclave's root is NOT AWS's: ${root.name}`)]),
    ...warnings.map((warning) => element('p', { class: 'warning' }, `\u26A0 ${warning}`)),
    ...effects.flatMap(({ sentence, facts }) => [
      element('p', { class: 'sentence' }, element('bdi', {}, sentence)),
      list(facts),
    ]),
    list(facts),
  );
}

/** Shows why a request is not shown. */
export function showRefusal(error: unknown): void {
  const section = byId('verdict', HTMLElement);
  section.dataset['verdict'] = error instanceof PageError ? 'none' : 'refused';
  section.replaceChildren(
    element('h2', {}, error instanceof PageError ? 'Not shown yet' : 'Refused'),
    ...describeError(error),
  );
}

/** Shows what became of a vote, or of a registration. */
export function showOutcome(
  id: 'outcome' | 'entry',
  title: string,
  ...content: readonly (Node | string)[]
): void {
  const section = byId(id, HTMLElement);
  section.replaceChildren(element('h2', {}, title), ...content);
  section.focus();
}

/** Describes an error by its code; never by text from outside. */
export function describeError(error: unknown): Node[] {
  if (error instanceof PageError) return [element('p', {}, error.message)];
  if (!(error instanceof HoldfastError))
    return [element('p', {}, 'Something went wrong in this page itself.')];
  return [
    element('p', {}, 'Do not approve: what arrived is not what a node with this manifest and image gives.'),
    list([
      { name: 'Code', value: error.code },
      { name: 'In detail', value: error.message },
    ]),
  ];
}

function list(facts: readonly Fact[]): HTMLElement {
  return element(
    'dl',
    {},
    ...facts.flatMap(({ name, value, label }) => [
      element('dt', {}, element('bdi', {}, name)),
      element(
        'dd',
        {},
        ...(label === undefined ? [] : [element('bdi', { class: 'label' }, label), ' ']),
        element('bdi', {}, value),
      ),
    ]),
  );
}
