// One question to a server that the configuration names: bounded in time and size, its certificate always checked, and no
// answer leads to another address.

import { readFileSync } from 'node:fs';
import { type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecured } from 'node:https';

export interface BoundedRequest {
  /** http or https. */
  readonly url: string;
  readonly bytesMax: number;
  readonly deadlineMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A PEM file with the CA of the server; absent = those that Node trusts. */
  readonly caFile?: string | undefined;
  /** Sent by POST; without it, GET. */
  readonly body?: Uint8Array;
}

/** There was an answer, and it was none that can be taken. */
export class UnfitAnswer extends Error {}

/** The answer's body. Rejects with an Error that names the address, and that has an UnfitAnswer as its cause if there was one. */
export async function requestBounded(asked: BoundedRequest): Promise<Buffer> {
  try {
    const ca = asked.caFile === undefined ? {} : { ca: readFileSync(asked.caFile) };
    return await exchange(asked, ca);
  } catch (cause) {
    throw new Error(`${asked.url}: ${messageOf(cause, asked.deadlineMs)}`, { cause });
  }
}

function exchange(asked: BoundedRequest, tls: { readonly ca?: Buffer }): Promise<Buffer> {
  const { url, bytesMax, deadlineMs, headers, body } = asked;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const length = body === undefined ? {} : { 'content-length': `${body.length}` };
    const options: RequestOptions = { agent: false, signal, headers: { ...headers, ...length } };
    if (body !== undefined) options.method = 'POST';
    // Said in full: an environment variable must not turn the check of the server off.
    const secured = { ...options, ...tls, rejectUnauthorized: true };
    const outgoing = url.startsWith('https:') ? requestSecured(url, secured) : requestPlain(url, options);
    const unfit = (why: string): void => {
      // First this: the end of a short answer may be on its way already, and would pass for that of a whole one.
      reject(new UnfitAnswer(why));
      outgoing.destroy();
    };
    outgoing.on('response', (response) => {
      const { statusCode = 0 } = response;
      if (statusCode !== 200) {
        const why = statusCode >= 300 && statusCode < 400 ? '; name the final address, none is followed' : '';
        return unfit(`the server answered ${statusCode}${why}`);
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bytesMax) unfit(`the answer is larger than ${bytesMax} bytes`);
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks)));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function messageOf(fault: unknown, deadlineMs: number): string {
  const { name, message, code } = fault as NodeJS.ErrnoException;
  if (name === 'AbortError' || name === 'TimeoutError') return `no answer in ${deadlineMs / 1000} s`;
  return message === '' ? String(code) : message;
}
