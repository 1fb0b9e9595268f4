export { applyPlan, verifyWritten } from './apply.ts';
export { generatePassword, renderGenerateStatement } from './generate.ts';
export { assertCiphertext, fingerprint, isSecretName, passwordContext, secretPrefix } from './node-secret.ts';
export { planSecrets, type PlannedSecret } from './plan.ts';
export { contentOf, CURRENT, describeSecret, readVersion, type SecretsClient, versionWith } from './store.ts';
