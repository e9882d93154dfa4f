// What TLS is spoken with, everywhere in Motte: forward secrecy and authenticated encryption only, groups that are sane.

/** The three suites of TLS 1.3, then those of TLS 1.2, by OpenSSL's names. */
export const TLS_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * Suites for pre-shared keys: what TLS 1.2 has with forward secrecy; those of TLS 1.3 go by SHA-256, as a key without a hash of
 * its own does (RFC 8446, 4.2.11).
 */
export const TLS_PSK_CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:ECDHE-PSK-CHACHA20-POLY1305';

export const TLS_GROUPS = 'X25519:prime256v1:secp384r1';
