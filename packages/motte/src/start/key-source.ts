// Where the keys of a token issuer are read from: a file, or the one https address that the configuration names. Nothing that
// a token says chooses an address, and an answer cannot lead to another one. Size and time are bounded.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { request } from 'node:https';
import { KEY_SET_BYTES_MAX } from '@motte/broker/tokens';
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
  try {
    const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
    return await get(url, ca);
  } catch (cause) {
    throw new Error(`${url}: ${messageOf(cause)}`, { cause });
  }
}

function get(url: string, tls: { readonly ca?: Buffer }): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(FETCH_DEADLINE_MS);
    // Said in full: an environment variable must not turn the check of the server off.
    const options = { ...tls, agent: false, rejectUnauthorized: true, signal, headers: { accept: 'application/json' } };
    const outgoing = request(url, options, (response) => {
      const { statusCode = 0 } = response;
      if (statusCode !== 200) {
        const why = statusCode >= 300 && statusCode < 400 ? '; name the final address, none is followed' : '';
        outgoing.destroy(new Error(`the server answered ${statusCode}${why}`));
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > KEY_SET_BYTES_MAX)
          outgoing.destroy(new Error(`the answer is larger than ${KEY_SET_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function messageOf(fault: unknown): string {
  const { name, message, code } = fault as NodeJS.ErrnoException;
  if (name === 'AbortError') return `no answer in ${FETCH_DEADLINE_MS / 1000} s`;
  return message === '' ? String(code) : message;
}

/** Below what a proof of identity may take. */
const FETCH_DEADLINE_MS = 4_000;
