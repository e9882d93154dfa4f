// Where the keys of a token issuer are read from: a file, or the one https address that the configuration names. Nothing that
// a token says chooses an address, and an answer cannot lead to another one. Size and time are bounded.

import { closeSync, openSync, readSync } from 'node:fs';
import { KEY_SET_BYTES_MAX } from '@motte/broker/tokens';
import { requestBounded } from '../data/bounded-request.ts';
import { said } from '../data/said.ts';

/** Makes the function that reads the text; what it throws names the place. */
export function keySource(jwks: string, ca: string | undefined): () => Promise<string> {
  return jwks.startsWith('https://') ? () => fetchText(jwks, ca) : async () => readText(jwks);
}

function readText(path: string): string {
  try {
    const bytes = Buffer.alloc(KEY_SET_BYTES_MAX + 1);
    const file = openSync(path, 'r');
    try {
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new Error(`${path}: ${said(cause)}`, { cause });
  }
}

async function fetchText(url: string, caFile: string | undefined): Promise<string> {
  const limits = { bytesMax: KEY_SET_BYTES_MAX, deadlineMs: FETCH_DEADLINE_MS };
  const answer = await requestBounded({ url, caFile, ...limits, headers: { accept: 'application/json' } });
  return answer.toString();
}

/** Below what a proof of identity may take. */
const FETCH_DEADLINE_MS = 4_000;
