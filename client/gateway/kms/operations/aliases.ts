import { parseInput } from '../../../../shared/aws-json/index.ts';
import {
  aliasExists,
  aliasNameSchema,
  aliasNotFound,
  aliasTargetSchema,
  arnPrefix,
  assertAliasName,
  listAliasesSchema,
  paginate,
} from '../../../../shared/kms/index.ts';
import {
  assertPoolKey,
  describeKey,
  findPoolKey,
  isRefusal,
  type KmsContext,
  type KmsResult,
} from '../context.ts';
import { pageSizeOf } from './keys.ts';

const MOST_ALIASES = 100;

/** Source: AWS KMS API Reference, "CreateAlias". */
export async function createAlias(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { AliasName: name, TargetKeyId: target } = parseInput(aliasTargetSchema, value);
  const alias = readAlias(name);
  const known = await findPoolKey(context, target);
  try {
    await context.ask(() => known.node.pools.change(known.id, { change: 'add-alias', alias }), false);
  } catch (error) {
    if (isRefusal(error, 'ALIAS_EXISTS')) throw aliasExists(aliasArn(name, context));
    throw error;
  }
  context.keys.forget();
  return { key: known.id };
}

/** Source: AWS KMS API Reference, "UpdateAlias". Between keys of one pool. */
export async function updateAlias(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { AliasName: name, TargetKeyId: target } = parseInput(aliasTargetSchema, value);
  const alias = readAlias(name);
  const known = await findPoolKey(context, target);
  try {
    await context.ask(() => known.node.pools.change(known.id, { change: 'move-alias', alias }), false);
  } catch (error) {
    if (isRefusal(error, 'ALIAS_UNKNOWN')) throw aliasNotFound(aliasArn(name, context));
    throw error;
  }
  context.keys.forget();
  return { key: known.id };
}

/** Source: AWS KMS API Reference, "DeleteAlias". */
export async function deleteAlias(context: KmsContext, value: unknown): Promise<KmsResult> {
  const { AliasName: name } = parseInput(aliasNameSchema, value);
  const alias = readAlias(name);
  context.keys.forget();
  const arn = aliasArn(name, context);
  const known = await context.ask(() => context.keys.find({ type: 'alias', alias, arn }), true);
  assertPoolKey(known, context.scope);
  await context.ask(() => known.node.pools.change(known.id, { change: 'remove-alias', alias }), false);
  context.keys.forget();
  return { key: known.id };
}

/** Source: AWS KMS API Reference, "ListAliases". All aliases on one page, unless a Limit is sent. */
export async function listAliases(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(listAliasesSchema, value);
  const keys =
    input.KeyId === undefined
      ? await context.ask(() => context.keys.list(), true)
      : [await describeKey(context, input.KeyId)];
  const aliases = keys.flatMap((key) => key.aliases.map((alias) => ({ name: `alias/${alias}`, key })));
  const { items, rest } = paginate(aliases, ({ name }) => name, input, pageSizeOf(input, MOST_ALIASES));
  const output = {
    Aliases: items.map(({ name, key }) => {
      const created = key.kind === 'pool' ? key.key.created / 1000 : 0;
      return {
        AliasName: name,
        AliasArn: aliasArn(name, context),
        TargetKeyId: key.id,
        CreationDate: created,
        LastUpdatedDate: created,
      };
    }),
    ...rest,
  };
  return { output };
}

function readAlias(name: string): string {
  assertAliasName(name);
  return name.slice('alias/'.length);
}

function aliasArn(name: string, { scope }: KmsContext): string {
  return arnPrefix(scope) + name;
}
