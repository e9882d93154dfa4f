// The proof by tokens for whoever starts the broker; loaded only where the configuration has issuers.

export { KeySet, type KeySetParts } from './key-set.ts';
export { checkProvable } from './provable-names.ts';
export { KEY_SET_BYTES_MAX, parseKeySet, type SigningKey } from './signing-keys.ts';
export { createTokenProof, type TokenProof } from './token.ts';
export {
  TOKEN_ALGORITHMS,
  type TokenAlgorithm,
  type TokenFacts,
  type TokenIssuer,
} from './token-issuers.ts';
