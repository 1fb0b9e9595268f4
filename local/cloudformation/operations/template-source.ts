import { z } from 'zod';
import { dnsSuffixOf } from '../../../shared/aws/partitions.ts';
import type { AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import { checkTemplate } from '../template/check-template.ts';
import { MAX_INLINE_BYTES, MAX_TEMPLATE_BYTES } from '../template/read-template.ts';
import { parseTemplate, type Template } from '../template/template.ts';
import { flagSchema, type CloudFormationContext, type ObjectLocation } from './context.ts';

/** Members of a request that say which template. */
export const templateMembers = {
  TemplateBody: z.string().min(1).optional(),
  TemplateURL: z.string().min(1).max(5120).optional(),
  UsePreviousTemplate: flagSchema,
};

interface TemplateSource {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
  readonly UsePreviousTemplate?: boolean | undefined;
}

/**
 * Reads the template that a request means: in it, in S3, or the stack's own.
 * @throws AwsServiceError ValidationError
 */
export async function readTemplateText(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
  { TemplateBody: body, TemplateURL: url, UsePreviousTemplate: previous = false }: TemplateSource,
  previousText?: string,
): Promise<string> {
  const given = [body, url].filter((source) => source !== undefined).length + (previous ? 1 : 0);
  if (given !== 1) {
    throw validationError(
      previousText === undefined
        ? 'Either Template URL or Template Body must be specified.'
        : 'Either Template URL, Template Body or Use Previous Template must be specified.',
    );
  }
  if (body !== undefined) {
    if (Buffer.byteLength(body) > MAX_INLINE_BYTES) {
      throw validationError(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${MAX_INLINE_BYTES}`,
      );
    }
    return body;
  }
  if (url !== undefined) return await fetchTemplate(context, request, url);
  if (previousText === undefined) throw validationError('There is no previous template');
  return previousText;
}

async function fetchTemplate(
  { readObject }: CloudFormationContext,
  request: AuthenticatedRequest,
  url: string,
): Promise<string> {
  const location = parseTemplateUrl(url, request.region);
  if (location === undefined || readObject === undefined) {
    throw validationError('S3 error: The specified URL is not a supported Amazon S3 URL');
  }
  const bytes = await readObject(request, location, MAX_TEMPLATE_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw validationError('Template format error: not UTF-8');
  }
}

/** Reads the URL of an object: with the bucket in the host name or in the path, or at the stand-in's own address. */
function parseTemplateUrl(text: string, region: string): ObjectLocation | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' || url.username !== '' || url.hash !== '') return undefined;
  const suffix = dnsSuffixOf(region);
  const path = decodePath(url.pathname.slice(1));
  if (path === undefined) return undefined;
  const version = url.searchParams.get('versionId');
  const more = version === null ? {} : { versionId: version };
  const host = url.hostname;
  const isBare =
    ['localhost', '127.0.0.1', `s3.${suffix}`].includes(host) ||
    (/^s3[.-][a-z0-9-]+\./.test(host) && host.endsWith(`.${suffix}`));
  if (isBare) {
    const at = path.indexOf('/');
    return at < 1 ? undefined : { bucket: path.slice(0, at), key: path.slice(at + 1), ...more };
  }
  const bucket = /^([a-z0-9.-]{3,63})\.s3(?:[.-][a-z0-9-]+)?\./.exec(host)?.[1];
  if (bucket === undefined || !host.endsWith(`.${suffix}`) || path === '') return undefined;
  return { bucket, key: path, ...more };
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Parses a template and asserts that it refers to nothing that is not there. @throws AwsServiceError ValidationError */
export function readChecked({ registry }: CloudFormationContext, text: string): Template {
  const template = parseTemplate(text);
  checkTemplate(template, registry);
  return template;
}
