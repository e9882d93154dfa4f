// How many messages are retained and how many bytes they take: written with every commit that changes it, so that a start
// need not look at all of them.

import { ByteReader, ByteWriter } from './bytes.ts';

export interface RetainedTotals {
  readonly messages: number;
  readonly bytes: number;
}

const writer = new ByteWriter();

export function encodeTotals({ messages, bytes }: RetainedTotals): Uint8Array {
  return writer.number(messages).number(bytes).take();
}

export function decodeTotals(content: Uint8Array): RetainedTotals {
  const reader = new ByteReader(content);
  const totals = { messages: reader.number(), bytes: reader.number() };
  reader.end();
  return totals;
}
