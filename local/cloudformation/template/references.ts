import { callOf, readAttribute, readSubstitution } from './functions.ts';
import { isList, isObject, type TemplateValue } from './value.ts';

/** Use of another name of the template. */
export type Reference =
  | { readonly kind: 'ref'; readonly name: string }
  | { readonly kind: 'attribute'; readonly name: string; readonly attribute: string | undefined }
  | { readonly kind: 'condition'; readonly name: string };

/** Lists the names that a value's functions use, in both branches of every Fn::If. */
export function referencesOf(value: TemplateValue): Reference[] {
  if (isList(value)) return value.flatMap(referencesOf);
  if (!isObject(value)) return [];
  const call = callOf(value);
  if (call === undefined) return Object.values(value).flatMap(referencesOf);
  const { name, argument } = call;
  if (name === 'Ref') return typeof argument === 'string' ? [{ kind: 'ref', name: argument }] : [];
  if (name === 'Fn::GetAtt') {
    const read = readAttribute(argument);
    if (read === undefined) return [];
    const attribute = typeof read.attribute === 'string' ? read.attribute : undefined;
    return [{ kind: 'attribute', name: read.id, attribute }, ...referencesOf(read.attribute)];
  }
  if (name === 'Fn::Sub') return substitutionReferences(argument);
  if (name === 'Fn::If' && isList(argument) && typeof argument[0] === 'string') {
    return [{ kind: 'condition', name: argument[0] }, ...argument.slice(1).flatMap(referencesOf)];
  }
  return referencesOf(argument);
}

function substitutionReferences(argument: TemplateValue): Reference[] {
  const { values, variables } = readSubstitution(argument);
  const used = variables
    .filter((variable) => !Object.hasOwn(values, variable))
    .map((variable): Reference => {
      const at = variable.indexOf('.');
      return at < 0
        ? { kind: 'ref', name: variable }
        : { kind: 'attribute', name: variable.slice(0, at), attribute: variable.slice(at + 1) };
    });
  return [...used, ...Object.values(values).flatMap(referencesOf)];
}
