import { randomBytes } from 'node:crypto';
import { unsafeParseAttestationDocument } from '../../../attestation/index.ts';
import { codeOf, sendRaw } from '../../../local/attacks/raw-request.ts';
import { DEMO_SIGNATURES } from '../../../local/demo/signatures.ts';
import { CLIENT } from '../../../local/testbed/scenario.ts';
import type { TestNode } from '../../../local/testbed/index.ts';
import { signRequest } from '../../../shared/http-signature/index.ts';
import {
  attestationResponseSchema,
  type KeyInfo,
  keysResponseSchema,
  type AnyNodeBinding,
  nodeBindingSchema,
  signResponseSchema,
} from '../../../shared/api/bodies.ts';
import { NODE_URL } from './parent-daemon.ts';

// The client of this project takes no document of an emulator: it is not signed. So requests are made by hand here.
const JSON_TYPE = 'application/json';

/** Reads a node's document, believed without verification. */
export async function askDocument() {
  const body = Buffer.from(JSON.stringify({ nonce: randomBytes(16).toString('hex') }));
  const headers = { 'content-type': JSON_TYPE };
  const answer = await sendRaw(NODE_URL, { method: 'POST', target: '/v1/attestation', headers, body });
  const { document } = attestationResponseSchema.parse(answer.body);
  const { payload } = unsafeParseAttestationDocument(Buffer.from(document, 'base64'));
  const binding = nodeBindingSchema.parse(JSON.parse(Buffer.from(payload.userData ?? []).toString()));
  return { pcrs: payload.pcrs, binding };
}

/** Client that the configuration names, in one boot of the node. */
export class SigningClient {
  readonly #testNode: TestNode;
  readonly binding: AnyNodeBinding;

  constructor(testNode: TestNode, binding: AnyNodeBinding) {
    this.#testNode = testNode;
    this.binding = binding;
  }

  /**
   * Sends a request; returns the response's body, and `ok` or the code of the refusal. Rejects when no response comes.
   */
  async send(method: 'GET' | 'POST' | 'PUT', target: string, content?: object) {
    const body = content === undefined ? undefined : Buffer.from(JSON.stringify(content));
    const headers = signRequest(
      { method, target, ...(body === undefined ? {} : { body: { bytes: body, contentType: JSON_TYPE } }) },
      {
        clientId: CLIENT,
        privateKey: this.#testNode.client.privateKey,
        session: this.binding.session,
        now: Date.now(),
      },
    );
    const answer = await sendRaw(NODE_URL, {
      method,
      target,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { code: answer.status === 200 ? 'ok' : codeOf(answer), body: answer.body };
  }

  async keys(): Promise<readonly KeyInfo[]> {
    return keysResponseSchema.parse((await this.send('GET', '/v1/keys')).body).keys;
  }

  /** Signs one payload of each kind and verifies the signatures; returns the titles of those that do not verify. */
  async sign(): Promise<string[]> {
    const wrong: string[] = [];
    for (const { title, request, verify } of DEMO_SIGNATURES) {
      const { body } = await this.send('POST', '/v1/sign', request);
      const parsed = signResponseSchema.safeParse(body);
      if (!parsed.success || !verify(parsed.data)) wrong.push(title);
    }
    return wrong;
  }
}
