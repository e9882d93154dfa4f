// How a token is told from a password, before anybody looks into it.

/** Whether a password is meant as a token, where it might be another proof: `eyJ` is how base64url writes `{"`. */
export function looksLikeToken(password: Uint8Array): boolean {
  const text = Buffer.from(password.subarray(0, TOKEN_BYTES_MAX)).toString('latin1');
  return text.startsWith('eyJ') && text.split('.', 4).length === 3;
}

export const TOKEN_BYTES_MAX = 8 * 1024;
