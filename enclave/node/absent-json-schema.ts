/*
 * Replaces the two modules of zod that write JSON Schema, in the image alone: nothing in a node asks for one, and they are
 * code that whoever measures the image would have to read. Every name that zod takes of them is there and does nothing.
 */
const absent = (): never => {
  throw new TypeError('the image writes no JSON Schema');
};

export const createToJSONSchemaMethod = (): typeof absent => absent;
export const createStandardJSONSchemaMethod = (): typeof absent => absent;
export const allProcessors = {};
export {
  absent as extractDefs,
  absent as finalize,
  absent as handleUnrepresentable,
  absent as initializeContext,
  absent as process,
  absent as processSchema,
  absent as toJSONSchema,
};
