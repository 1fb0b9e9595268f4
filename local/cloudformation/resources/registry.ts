import type { TypeCatalogue } from '../template/check-template.ts';
import type { ResourceProvider } from './provider.ts';

const CUSTOM = /^(?:Custom::[\w@-]{1,60}|AWS::CloudFormation::CustomResource)$/;

/** Types of resources, and who makes them. */
export class ResourceRegistry implements TypeCatalogue {
  readonly #providers: ReadonlyMap<string, ResourceProvider>;
  readonly #custom: ResourceProvider;

  constructor(providers: Readonly<Record<string, ResourceProvider>>, custom: ResourceProvider) {
    this.#providers = new Map(Object.entries(providers));
    this.#custom = custom;
  }

  has(type: string): boolean {
    return this.find(type) !== undefined;
  }

  hasAttribute(type: string, attribute: string): boolean {
    return isCustom(type) || this.find(type)?.attributes.includes(attribute) === true;
  }

  find(type: string): ResourceProvider | undefined {
    return isCustom(type) ? this.#custom : this.#providers.get(type);
  }

  /** Provider of a type of a template that was checked. */
  get(type: string): ResourceProvider {
    const provider = this.find(type);
    if (provider === undefined) throw new TypeError(`expected a known type, found ${type}`);
    return provider;
  }
}

/** Whether a type is one of custom resources, whose properties and attributes are their function's own. */
export function isCustom(type: string): boolean {
  return CUSTOM.test(type);
}
