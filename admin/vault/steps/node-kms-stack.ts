import { createPublicKey } from 'node:crypto';
import { ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import { askAws } from '../../aws/index.ts';
import { describeRole, roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { applyStack, describeStack, readOutput, type StackOrder } from './stack/index.ts';
import { inspectStacks, orderStacks } from './stacks.ts';
import type { Step } from './step.ts';

/** Parameter of the stack that names the code of the function. */
const CODE_PARAMETER = 'ConfigSigningCode';

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
    inspect: async (context) => await inspectStacks([await orderWithCode(context, node)], context),
    async apply(context) {
      const { account, region } = describeRole(context.vault, role);
      const stack = await applyStack(await orderWithCode(context, node), context);
      const hasFunction = context.vault.nodes.find((one) => one.node === node)?.configurationAuthority
        .function;
      return {
        facts: {
          account,
          region,
          keyArn: readOutput(stack, 'KeyArn'),
          signingKey:
            hasFunction === true
              ? await readPublicKey(context, region, readOutput(stack, 'SigningKeyArn'))
              : null,
          bucket: readOutput(stack, 'BucketName'),
        },
        files: [],
      };
    },
  };
}

/**
 * Orders the stack of a node with the code of the function that was put into it before, if one was: as stated, or, where a
 * run was cut off before it could tell, as the stack itself has it.
 */
async function orderWithCode(context: StepContext, node: number): Promise<StackOrder> {
  const stated = await context.exchange.statement(roleOfNode(node), 'signing-function');
  if (stated !== undefined) return await orderNodeStack(context, node, stated.facts.code);
  const order = await orderNodeStack(context, node, '');
  const client = await context.aws.cloudFormation(order.region);
  const found = await describeStack(client, order.name, context.signal);
  const code = found?.Parameters?.find(({ ParameterKey: key }) => key === CODE_PARAMETER)?.ParameterValue;
  return { ...order, parameters: { ...order.parameters, [CODE_PARAMETER]: code ?? '' } };
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
