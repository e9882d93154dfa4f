// The client's side of SCRAM-SHA-256, for tests: written after RFC 5802 and nothing of the broker's.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export interface ScramClientOptions {
  readonly name: string;
  readonly password: string;
  /** Default `n,,`. */
  readonly gs2Header?: string;
  /** What the channel has in common, for `p=…`. */
  readonly binding?: Uint8Array | (() => Uint8Array);
  readonly nonce?: string;
}

export class ScramClient {
  readonly first: Buffer;
  /** What the broker has to prove. */
  signature = '';
  readonly #options: ScramClientOptions;
  readonly #bare: string;
  readonly #header: string;
  readonly nonce: string;

  constructor(options: ScramClientOptions) {
    this.#options = options;
    this.nonce = options.nonce ?? randomBytes(18).toString('base64');
    this.#header = options.gs2Header ?? 'n,,';
    this.#bare = `n=${options.name.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.nonce}`;
    this.first = Buffer.from(this.#header + this.#bare);
  }

  /** By what its header says. */
  get method(): string {
    return this.#header.startsWith('p=') ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
  }

  /** The final message; `change` spoils what it is made of. */
  final(serverFirst: Uint8Array | undefined, change: { nonce?: string; channel?: Uint8Array } = {}): Buffer {
    const text = Buffer.from(serverFirst ?? []).toString();
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(text) ?? [];
    if (!nonce.startsWith(this.nonce)) throw new Error(`not an answer to this client: ${text}`);
    const { password, binding: own = new Uint8Array(0) } = this.#options;
    const binding = typeof own === 'function' ? own() : own;
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const channel = change.channel ?? Buffer.concat([Buffer.from(this.#header), binding]);
    const withoutProof = `c=${Buffer.from(channel).toString('base64')},r=${change.nonce ?? nonce}`;
    const message = `${this.#bare},${text},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    this.signature = `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`;
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] as number))).toString('base64');
    return Buffer.from(`${withoutProof},p=${proof}`);
  }
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
