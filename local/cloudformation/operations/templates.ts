import { z } from 'zod';
import { assertAllowed } from '../../aws/authorization.ts';
import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import type { Template } from '../template/template.ts';
import { neededCapabilities } from './capabilities.ts';
import { findStack, readInput, stackNameSchema, type CloudFormationContext } from './context.ts';
import { readChecked, readTemplateText, templateMembers } from './template-source.ts';

const { TemplateBody, TemplateURL } = templateMembers;
const validateSchema = z.object({ TemplateBody, TemplateURL });
const summarySchema = z.object({ TemplateBody, TemplateURL, StackName: stackNameSchema.optional() });
const getSchema = z.object({
  StackName: stackNameSchema.optional(),
  ChangeSetName: z.string().min(1).max(1600).optional(),
  TemplateStage: z.enum(['Original', 'Processed']).optional(),
});

/** Source: AWS CloudFormation API Reference, "ValidateTemplate". */
export async function validateTemplate(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const input = readInput(validateSchema, request);
  assertAllowed(request, {
    action: 'cloudformation:ValidateTemplate',
    resource: '*',
    keys: { 'cloudformation:TemplateUrl': input.TemplateURL },
  });
  const template = readChecked(context, await readTemplateText(context, request, input));
  return {
    Description: template.description,
    Parameters: [...template.parameters].map(([name, { defaultValue, noEcho, description }]) => ({
      ParameterKey: name,
      DefaultValue: defaultValue,
      NoEcho: noEcho,
      Description: description,
    })),
    ...showCapabilities(template),
    DeclaredTransforms: [],
  };
}

function showCapabilities(template: Template): object {
  const { capabilities, types } = neededCapabilities(template);
  if (capabilities.length === 0) return { Capabilities: [] };
  return {
    Capabilities: capabilities,
    CapabilitiesReason: `The following resource(s) require capabilities: [${types.join(', ')}]`,
  };
}

/** Source: AWS CloudFormation API Reference, "GetTemplateSummary". */
export async function getTemplateSummary(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const { StackName: name, ...source } = readInput(summarySchema, request);
  const text =
    name === undefined
      ? await summarized(context, request, source)
      : findStack(context, request, name).shape.templateText;
  const template = readChecked(context, text);
  return {
    Description: template.description,
    Metadata: template.metadata === undefined ? undefined : JSON.stringify(template.metadata),
    Parameters: [...template.parameters].map(([key, declaration]) => ({
      ParameterKey: key,
      DefaultValue: declaration.defaultValue,
      ParameterType: declaration.type,
      NoEcho: declaration.noEcho,
      Description: declaration.description,
      ParameterConstraints: { AllowedValues: declaration.allowedValues ?? [] },
    })),
    ...showCapabilities(template),
    ResourceTypes: [...new Set([...template.resources.values()].map(({ type }) => type))],
    Version: '2010-09-09',
    DeclaredTransforms: [],
  };
}

async function summarized(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
  source: z.output<typeof validateSchema>,
): Promise<string> {
  assertAllowed(request, {
    action: 'cloudformation:GetTemplateSummary',
    resource: '*',
    keys: { 'cloudformation:TemplateUrl': source.TemplateURL },
  });
  return await readTemplateText(context, request, source);
}

/** Source: AWS CloudFormation API Reference, "GetTemplate". */
export function getTemplate(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const { StackName: name, ChangeSetName: changeSetName } = readInput(getSchema, request);
  if (name === undefined) throw validationError('Either StackName or ChangeSetName must be specified.');
  const stack = findStack(context, request, name);
  const changeSet = context.store
    .changeSets(stack.id)
    .find(({ id, name: known }) => id === changeSetName || known === changeSetName);
  if (changeSetName !== undefined && changeSet === undefined) {
    throw new AwsServiceError('ChangeSetNotFound', `ChangeSet [${changeSetName}] does not exist`, 404);
  }
  const { templateText } = (changeSet ?? stack).shape;
  if (templateText === '') throw validationError(`Stack ${stack.name} has no template yet`);
  return { TemplateBody: templateText, StagesAvailable: ['Original', 'Processed'] };
}
