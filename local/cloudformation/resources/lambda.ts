import { writeZip } from '../../../deploy/functions/zip.ts';
import { AwsServiceError } from '../../aws/plumbing.ts';
import type { Made } from '../stacks/stack-record.ts';
import { isSame, type TemplateObject } from '../template/value.ts';
import { providerOf } from './facts.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import { isRefusal, neededText, numberOf, objectIn, tagsOf, textOf, textsOf } from './values.ts';

const FUNCTIONS = '/2015-03-31/functions';
const KNOWN = [
  'FunctionName',
  'Description',
  'Runtime',
  'Architectures',
  'Handler',
  'MemorySize',
  'Timeout',
  'Role',
  'Environment',
  'Code',
  'Tags',
  'PackageType',
];

/** Asks Lambda; the answer is JSON or nothing. */
async function ask(
  context: ResourceContext,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await context.send('lambda', {
    method,
    path: `${FUNCTIONS}${path}`,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.body.length === 0) return {};
  return JSON.parse(Buffer.from(answer.body).toString('utf8')) as Readonly<Record<string, unknown>>;
}

function settingsOf(properties: TemplateObject): object {
  const environment = objectIn(properties, 'Environment');
  const variables = environment === undefined ? undefined : objectIn(environment, 'Variables');
  return {
    Runtime: textOf(properties, 'Runtime'),
    Handler: textOf(properties, 'Handler'),
    Role: neededText(properties, 'Role'),
    Description: textOf(properties, 'Description') ?? '',
    Timeout: numberOf(properties, 'Timeout') ?? 3,
    MemorySize: numberOf(properties, 'MemorySize') ?? 128,
    Environment: {
      Variables: Object.fromEntries(
        Object.keys(variables ?? {}).map((name) => [
          name,
          variables === undefined ? '' : neededText(variables, name),
        ]),
      ),
    },
  };
}

/** Code of a function: in S3, or source text that becomes `index.js` of an archive. */
function codeOf(properties: TemplateObject): object {
  const code = objectIn(properties, 'Code') ?? {};
  const source = textOf(code, 'ZipFile');
  if (source === undefined) {
    return {
      S3Bucket: textOf(code, 'S3Bucket'),
      S3Key: textOf(code, 'S3Key'),
      S3ObjectVersion: textOf(code, 'S3ObjectVersion'),
    };
  }
  if (textOf(properties, 'Runtime')?.startsWith('nodejs') !== true) {
    throw new AwsServiceError(
      'InvalidRequest',
      'ZipFile: this stand-in takes the source of functions for Node',
    );
  }
  const zip = writeZip([{ name: 'index.js', content: Buffer.from(source, 'utf8') }]);
  return { ZipFile: Buffer.from(zip).toString('base64') };
}

/** `AWS::Lambda::Function`. */
const lambdaFunction: ResourceProvider = providerOf('AWS::Lambda::Function', {
  async create(context) {
    const { properties } = context;
    const unknown = Object.keys(properties).find((name) => !KNOWN.includes(name));
    if (unknown !== undefined)
      throw new AwsServiceError('InvalidRequest', `${unknown} is unknown to this stand-in`);
    const name = textOf(properties, 'FunctionName') ?? context.uniqueName(64);
    try {
      await ask(context, 'POST', '', {
        FunctionName: name,
        ...settingsOf(properties),
        Code: codeOf(properties),
        Architectures:
          properties['Architectures'] === undefined ? undefined : textsOf(properties, 'Architectures'),
        Tags: tagsOf(properties, context.tags),
      });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'ResourceConflictException')) throw error;
    }
    return describe(context, name);
  },
  async update(context, { made, properties: before }) {
    const { properties } = context;
    const path = `/${made.physicalId}`;
    if (!isSame(properties['Code'], before['Code']))
      await ask(context, 'PUT', `${path}/code`, codeOf(properties));
    await ask(context, 'PUT', `${path}/configuration`, settingsOf(properties));
    return made;
  },
  async delete(context, { made }) {
    await ignoreGone(ask(context, 'DELETE', `/${made.physicalId}`));
  },
});

function describe({ place }: ResourceContext, name: string): Made {
  const arn = `arn:aws:lambda:${place.region}:${place.accountId}:function:${name}`;
  return { physicalId: name, reference: name, attributes: { Arn: arn } };
}

async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isRefusal(error, 'ResourceNotFoundException')) throw error;
  }
}

/** `AWS::Lambda::Permission`: a statement of a function's policy; each property that changes makes another. */
const permission: ResourceProvider = providerOf('AWS::Lambda::Permission', {
  async create(context) {
    const { properties } = context;
    const id = context.uniqueName(100);
    const path = `/${encodeURIComponent(neededText(properties, 'FunctionName'))}/policy`;
    try {
      await ask(context, 'POST', path, {
        StatementId: id,
        Action: neededText(properties, 'Action'),
        Principal: neededText(properties, 'Principal'),
        SourceArn: textOf(properties, 'SourceArn'),
        SourceAccount: textOf(properties, 'SourceAccount'),
      });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'ResourceConflictException')) throw error;
    }
    return { physicalId: id, reference: id, attributes: { Id: id } };
  },
  async update(_context, { made }) {
    return await Promise.resolve(made);
  },
  async delete(context, { made, properties }) {
    const name = encodeURIComponent(neededText(properties, 'FunctionName'));
    await ignoreGone(ask(context, 'DELETE', `/${name}/policy/${made.physicalId}`));
  },
});

/** Providers of AWS Lambda. */
export const LAMBDA_PROVIDERS = {
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': permission,
};
