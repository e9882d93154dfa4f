// An answer that comes as one JSON document a line, over a long time.

import { MotteError } from './errors.ts';

/** Each line as it comes. MOT-0503 for what is no document, or a line without end. */
export async function* documentsOf<T>(stream: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      yield parse(rest.slice(0, end)) as T;
      rest = rest.slice(end + 1);
    }
    if (rest.length > LINE_CHARACTERS_MAX) throw new MotteError('MOT-0503', 'a line above 64 MiB');
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new MotteError('MOT-0503', 'a line that is no JSON document', { cause });
  }
}

const LINE_CHARACTERS_MAX = 64 * 1024 * 1024;
