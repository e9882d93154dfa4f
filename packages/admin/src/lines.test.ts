import { expect, it } from 'vitest';
import { documentsOf } from './lines.ts';

async function all(...chunks: readonly Uint8Array[]): Promise<unknown[]> {
  async function* stream() {
    yield* chunks;
  }
  const documents: unknown[] = [];
  for await (const document of documentsOf(stream())) documents.push(document);
  return documents;
}

it('has a document for each line, wherever the bytes are apart', async () => {
  const bytes = Buffer.from('{"a":"ä"}\n{"b":1}\n');
  const expected = [{ a: 'ä' }, { b: 1 }];
  expect(await all(bytes)).toEqual(expected);
  expect(await all(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
});

it('has nothing for a line that did not come to its end', async () => {
  expect(await all(Buffer.from('{"a":1}\n{"b"'))).toEqual([{ a: 1 }]);
});

it('refuses what is no document', async () => {
  await expect(all(Buffer.from('{"a":1}\nHTTP\n'))).rejects.toMatchObject({ code: 'MOT-0503' });
});
