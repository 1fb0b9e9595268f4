import { createPublicKey } from 'node:crypto';
import type { Stack } from '@aws-sdk/client-cloudformation';
import { ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import { askAws } from '../../aws/index.ts';
import { describeRole, roleOfNode, stackNames } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { putInBucket } from './node-bucket.ts';
import { applyStack, describeStack, readOutput, type StackOrder } from './stack/index.ts';
import { inspectStacks, orderStacks } from './stacks.ts';
import { assertStackStays } from './stated-stack.ts';
import type { Step } from './step.ts';

/** Parameter of the stack that names the code of the function. */
const CODE_PARAMETER = 'ConfigSigningCode';
/** Value of that parameter in the template for the console, which has the code inside. */
const INLINE = 'inline';
/** Output of a stack that has the function. */
const FUNCTION_OUTPUT = 'ConfigSigningFunctionName';

/** Step that makes a node's KMS stack: the key, born closed, the key that signs configurations, the bucket. */
export function nodeKmsStack(node: number): Step<'kms-stack'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/kms-stack`,
    role,
    name: 'kms-stack',
    stage: 1,
    summary: 'make the stack with the key that only the enclave will use, closed until the gate',
    needs: [],
    async inspect(context) {
      await assertOwnStack(context, node);
      return await inspectStacks([await orderWithCode(context, node)], context);
    },
    async apply(context) {
      const { account, region } = describeRole(context.vault, role);
      await assertOwnStack(context, node);
      await uploadInlineCode(context, node);
      const stack = await applyStack(await orderWithCode(context, node), context);
      const isAuthority = context.vault.nodes.find((one) => one.node === node)?.configurationAuthority
        .function;
      return {
        facts: {
          account,
          region,
          keyArn: readOutput(stack, 'KeyArn'),
          signingKey:
            isAuthority === true
              ? await readPublicKey(context, region, readOutput(stack, 'SigningKeyArn'))
              : null,
          bucket: readOutput(stack, 'BucketName'),
        },
        files: [],
      };
    },
  };
}

/** Asserts that the stack whose key was stated is there. @throws StepError VAULT_STACK_GONE */
async function assertOwnStack(context: StepContext, node: number): Promise<void> {
  const role = roleOfNode(node);
  const facts = (await context.exchange.statement(role, 'kms-stack'))?.facts;
  const name = stackNames.node(context.vault, node);
  const { region } = describeRole(context.vault, role);
  const stated = facts === undefined ? undefined : { KeyArn: facts.keyArn, BucketName: facts.bucket };
  await assertStackStays(context, role, { name, region }, stated);
}

/**
 * Orders the stack of a node with the code of the function that was put into it before, if one was: as stated, or, where a
 * run was cut off before it could tell, as the stack itself has it. A stack that was made in the console keeps its function,
 * whose code then comes from the bucket.
 */
async function orderWithCode(context: StepContext, node: number): Promise<StackOrder> {
  const stated = await context.exchange.statement(roleOfNode(node), 'signing-function');
  if (stated !== undefined) return await orderNodeStack(context, node, stated.facts.code);
  const found = await findStack(context, node);
  const code = codeOf(found);
  if (code !== INLINE) return await orderNodeStack(context, node, code);
  const { key } = await context.signingFunction();
  return await orderNodeStack(context, node, hasFunction(found) ? key : '');
}

/** Puts the code of the function into the bucket of a stack that was made in the console, before the stack takes it there. */
async function uploadInlineCode(context: StepContext, node: number): Promise<void> {
  const found = await findStack(context, node);
  if (found === undefined || codeOf(found) !== INLINE || !hasFunction(found)) return;
  const { key, zip } = await context.signingFunction();
  await putInBucket(context, { node, bucket: readOutput(found, 'BucketName'), key }, zip);
}

async function findStack(context: StepContext, node: number): Promise<Stack | undefined> {
  const { region } = describeRole(context.vault, roleOfNode(node));
  const client = await context.aws.cloudFormation(region);
  return await describeStack(client, stackNames.node(context.vault, node), context.signal);
}

function codeOf(stack: Stack | undefined): string {
  return stack?.Parameters?.find(({ ParameterKey: key }) => key === CODE_PARAMETER)?.ParameterValue ?? '';
}

function hasFunction(stack: Stack | undefined): boolean {
  return (stack?.Outputs ?? []).some(({ OutputKey: key }) => key === FUNCTION_OUTPUT);
}

/**
 * Orders the stack of a node.
 *
 * @param code key of the function's code in the stack's own bucket; empty for a stack without the function
 */
export async function orderNodeStack(context: StepContext, node: number, code: string): Promise<StackOrder> {
  const [order] = await orderStacks(context, { role: roleOfNode(node), template: 'node' }, () => ({
    [CODE_PARAMETER]: code,
  }));
  if (order === undefined) throw new TypeError('expected the stack of the node');
  return order;
}

async function readPublicKey(context: StepContext, region: string, keyId: string): Promise<string> {
  const { GetPublicKeyCommand } = await import('@aws-sdk/client-kms');
  const client = await context.aws.kms(region);
  const { PublicKey: der } = await askAws(
    'kms:GetPublicKey',
    client.send(new GetPublicKeyCommand({ KeyId: keyId }), { abortSignal: context.signal }),
  );
  try {
    return ed25519PublicKeyHex(createPublicKey({ key: Buffer.from(der ?? []), format: 'der', type: 'spki' }));
  } catch (error) {
    throw new StepError(
      'VAULT_OUTPUT_WRONG',
      'the key that signs configurations is no Ed25519 key',
      { keyId },
      error,
    );
  }
}
