// The messages of SCRAM (RFC 5802, 7): read strictly, undefined for whatever is not one; a client that is not sure of its
// grammar is not let in.

export interface ClientFirst {
  /** `n` the client cannot bind to the channel, `y` it could and believes the server cannot, else the binding's name. */
  readonly binding: 'n' | 'y' | { readonly name: string };
  /** As it came, with its last comma: the client's final message repeats it. */
  readonly gs2Header: string;
  /** The name it wants to act as; empty = its own. */
  readonly authorizationId: string;
  readonly name: string;
  readonly nonce: string;
  /** Part of what is signed. */
  readonly bare: string;
}

export interface ClientFinal {
  readonly channelBinding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** Part of what is signed. */
  readonly withoutProof: string;
}

export function parseClientFirst(data: Uint8Array | undefined): ClientFirst | undefined {
  const text = textOf(data);
  const match = /^((n|y|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,)(n=([^,]+),r=([!-+\--~]+)(?:,[a-zA-Z]=[^,]+)*)$/.exec(text);
  if (match === null) return undefined;
  const [, gs2Header = '', flag, bindingName, authzid, bare = '', encodedName = '', nonce = ''] = match;
  const name = decodeName(encodedName);
  const authorizationId = authzid === undefined ? '' : decodeName(authzid);
  if (name === undefined || authorizationId === undefined) return undefined;
  const binding = bindingName === undefined ? (flag as 'n' | 'y') : { name: bindingName };
  return { binding, gs2Header, authorizationId, name, nonce, bare };
}

export function parseClientFinal(data: Uint8Array | undefined): ClientFinal | undefined {
  const text = textOf(data);
  const match = /^(c=([^,]+),r=([!-+\--~]+)(?:,[a-zA-Z]=[^,]+)*),p=([^,]+)$/.exec(text);
  if (match === null) return undefined;
  const [, withoutProof = '', binding = '', nonce = '', encodedProof = ''] = match;
  const channelBinding = decodeBase64(binding);
  const proof = decodeBase64(encodedProof);
  if (channelBinding === undefined || proof === undefined) return undefined;
  return { channelBinding, nonce, proof, withoutProof };
}

/** Empty, and so no message, for what is too long or not UTF-8. */
function textOf(data: Uint8Array | undefined): string {
  if (data === undefined || data.length > MESSAGE_BYTES_MAX) return '';
  try {
    return UTF8.decode(data);
  } catch {
    return '';
  }
}

/** `=2C` is a comma and `=3D` an equals sign; any other equals sign is a mistake (5.1). */
function decodeName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** With its padding and nothing else: one text for one value. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Several times what any client sends. */
const MESSAGE_BYTES_MAX = 2048;
