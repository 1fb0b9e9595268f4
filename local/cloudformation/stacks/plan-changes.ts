import { validationError } from '../errors.ts';
import { isCustom, type ResourceRegistry } from '../resources/registry.ts';
import { creationOrder } from '../template/check-template.ts';
import { isUnknown, KNOWN_AFTER_APPLY } from '../template/functions.ts';
import { referencesOf } from '../template/references.ts';
import { parseTemplate, type ResourceDeclaration, type Template } from '../template/template.ts';
import { isSame, type TemplateObject, type TemplateValue } from '../template/value.ts';
import { compareProperties, type PropertyDifference } from './differences.ts';
import type { Change, Stack, StackResource, StackShape } from './stack-record.ts';
import { evaluateOutputs, evaluateProperties, makeScope, wantedResources } from './template-scope.ts';

/** Changes of a stack, before anything is done. */
export interface Plan {
  readonly changes: readonly Change[];
  /** Whether anything at all is another: resources, outputs or tags. */
  readonly isChange: boolean;
}

type Effect = 'added' | 'same' | 'modified' | 'replaced' | 'perhaps-replaced';

export interface PlanOptions {
  readonly registry: ResourceRegistry;
  /** Stack as it is; its resources are none where it is to be made. */
  readonly stack: Stack;
  readonly shape: StackShape;
  readonly exported: (name: string) => string | undefined;
}

/**
 * Derives what a template and its values change in a stack.
 * @throws AwsServiceError ValidationError
 */
export function planChanges({ registry, stack, shape, exported }: PlanOptions): Plan {
  const template = parseTemplate(shape.templateText);
  const before =
    Object.keys(stack.resources).length === 0 ? undefined : parseTemplate(stack.shape.templateText);
  const effects = new Map<string, Effect>();
  const current = (id: string): StackResource | undefined => stack.resources[id];
  const scope = makeScope({
    template,
    place: { accountId: stack.accountId, region: stack.region, stackId: stack.id, stackName: stack.name },
    parameters: shape.parameters,
    values: {
      reference(id) {
        const effect = effects.get(id);
        if (effect === undefined) return undefined;
        return effect === 'same' || effect === 'modified' ? current(id)?.made?.reference : KNOWN_AFTER_APPLY;
      },
      attribute(id, name) {
        const effect = effects.get(id);
        const type = template.resources.get(id)?.type ?? '';
        const isVolatile = isCustom(type) || registry.get(type).volatileAttributes?.includes(name) === true;
        const isKnown = effect === 'same' || (effect === 'modified' && !isVolatile);
        return isKnown ? current(id)?.made?.attributes[name] : KNOWN_AFTER_APPLY;
      },
      exported,
    },
  });
  const wanted = wantedResources(template, scope);
  assertSameTypes(template, stack, wanted);
  const hasNewTags = !isSame(stack.shape.tags, shape.tags);
  const changes: Change[] = [];
  for (const id of creationOrder(template)) {
    const declaration = template.resources.get(id);
    if (declaration === undefined || !wanted.has(id)) continue;
    const after = evaluateProperties(template, id, scope);
    const resource = current(id);
    if (resource?.made === undefined) {
      effects.set(id, 'added');
      changes.push({ action: 'Add', logicalId: id, type: declaration.type, scope: [], details: [] });
      continue;
    }
    const differences = compareProperties(registry, declaration.type, resource.properties, after);
    const isTagged = hasNewTags && Object.hasOwn(registry.get(declaration.type).properties, 'Tags');
    effects.set(id, effectOf(differences, after, isTagged));
    if (differences.length === 0 && !isTagged) continue;
    const sources = { template, before, stack, shape };
    changes.push(describeChange(resource, declaration, differences, { after, isTagged, sources }));
  }
  for (const resource of Object.values(stack.resources)) {
    if (!wanted.has(resource.logicalId)) changes.push(describeRemoval(resource));
  }
  const outputs = evaluateOutputs(template, scope);
  const isChange =
    changes.length > 0 || hasNewTags || JSON.stringify(stack.shape.outputs) !== JSON.stringify(outputs);
  return { changes, isChange };
}

function assertSameTypes(template: Template, stack: Stack, wanted: ReadonlySet<string>): void {
  const changed = Object.values(stack.resources).filter(
    ({ logicalId, type, made }) =>
      made !== undefined && wanted.has(logicalId) && template.resources.get(logicalId)?.type !== type,
  );
  if (changed.length === 0) return;
  throw validationError(
    `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${changed.map(({ logicalId }) => logicalId).join(', ')}]`,
  );
}

function effectOf(
  differences: readonly PropertyDifference[],
  after: TemplateObject,
  isTagged: boolean,
): Effect {
  const replacing = differences.filter(({ update }) => update === 'replacement');
  if (replacing.some(({ name }) => !isUnknown(after[name] ?? ''))) return 'replaced';
  if (replacing.length > 0 || differences.some(({ update }) => update === 'conditional'))
    return 'perhaps-replaced';
  return differences.length > 0 || isTagged ? 'modified' : 'same';
}

const REPLACEMENT = {
  added: 'False',
  same: 'False',
  modified: 'False',
  replaced: 'True',
  'perhaps-replaced': 'Conditional',
} as const;
const RECREATION = { 'in-place': 'Never', replacement: 'Always', conditional: 'Conditionally' } as const;

interface Sources {
  readonly template: Template;
  readonly before: Template | undefined;
  readonly stack: Stack;
  readonly shape: StackShape;
}

function describeChange(
  resource: StackResource,
  declaration: ResourceDeclaration,
  differences: readonly PropertyDifference[],
  { after, isTagged, sources }: { after: TemplateObject; isTagged: boolean; sources: Sources },
): Change {
  const { logicalId, type, made, properties } = resource;
  const effect = effectOf(differences, after, isTagged);
  const retains = declaration.updateReplacePolicy !== 'Delete';
  const details: Change['details'] = differences.map(({ name, update }) => {
    const value = after[name];
    return {
      attribute: name === 'Tags' ? 'Tags' : 'Properties',
      ...(name === 'Tags' ? {} : { name }),
      requiresRecreation: RECREATION[update],
      path: `/Properties/${name}`,
      ...(properties[name] === undefined ? {} : { before: properties[name] }),
      ...(value === undefined ? {} : { after: value }),
      evaluation: value !== undefined && isUnknown(value) ? 'Dynamic' : 'Static',
      ...findSource(logicalId, name, sources),
    };
  });
  if (isTagged) details.push({ attribute: 'Tags', requiresRecreation: 'Never', evaluation: 'Static' });
  const hasProperties = differences.some(({ name }) => name !== 'Tags');
  const hasTags = isTagged || differences.some(({ name }) => name === 'Tags');
  return {
    action: 'Modify',
    logicalId,
    physicalId: made?.physicalId,
    type,
    replacement: REPLACEMENT[effect],
    ...(effect === 'modified' ? {} : { policyAction: retains ? 'ReplaceAndRetain' : 'ReplaceAndDelete' }),
    scope: [...(hasProperties ? ['Properties'] : []), ...(hasTags ? ['Tags'] : [])],
    details,
  };
}

/** What of the template or its values makes a property another. */
function findSource(
  logicalId: string,
  name: string,
  { template, before, stack, shape }: Sources,
): { readonly source: string; readonly causingEntity?: string } {
  const declared: TemplateValue | undefined = template.resources.get(logicalId)?.properties[name];
  if (!isSame(before?.resources.get(logicalId)?.properties[name], declared))
    return { source: 'DirectModification' };
  const references = referencesOf(declared ?? '');
  const parameter = references.find(
    ({ name: used }) =>
      template.parameters.has(used) && stack.shape.parameters[used] !== shape.parameters[used],
  );
  if (parameter !== undefined) return { source: 'ParameterReference', causingEntity: parameter.name };
  const resource = references.find(
    ({ kind, name: used }) => kind !== 'condition' && template.resources.has(used),
  );
  if (resource?.kind === 'attribute') {
    return { source: 'ResourceAttribute', causingEntity: `${resource.name}.${resource.attribute ?? ''}` };
  }
  if (resource !== undefined) return { source: 'ResourceReference', causingEntity: resource.name };
  return { source: 'DirectModification' };
}

function describeRemoval({ logicalId, type, made, deletionPolicy }: StackResource): Change {
  return {
    action: 'Remove',
    logicalId,
    physicalId: made?.physicalId,
    type,
    policyAction: deletionPolicy === 'Delete' ? 'Delete' : 'Retain',
    scope: [],
    details: [],
  };
}
