// The files of another broker: opened with care, read within bounds, handed on line by line. What they say is others' part.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { said } from '../data/said.ts';

/** Where something stands, lines from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface SourceLine {
  readonly text: string;
  readonly place: Place;
}

/** Mistakes in files of another broker, each `FILE:LINE: why`: MOT-1003. */
export class SourceRefused extends MotteError {
  readonly lines: readonly string[];

  constructor(mistakes: readonly Mistake[]) {
    const lines = mistakes.slice(0, MISTAKES_MAX).map(({ place, why }) => `${placeText(place)}: ${why}`);
    super('MOT-1003', mistakes.length === 1 ? (lines[0] ?? '') : `${mistakes.length} of them`);
    this.lines = lines;
  }
}

export interface Mistake {
  readonly place: Place;
  readonly why: string;
}

export function placeText({ file, line }: Place): string {
  return `${file}:${line}`;
}

/** The whole text of a plain file. Throws MOT-1002. */
export function readSource(path: string, bytesMax: number): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new MotteError('MOT-1002', `${path}: ${why}`, { cause });
  };
  let bytes: Uint8Array;
  try {
    // A pipe without a writer would be waited for.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) refuse('it is not a plain file');
      bytes = readUpTo(file, bytesMax + 1);
    } finally {
      closeSync(file);
    }
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    return refuse(said(fault), fault);
  }
  if (bytes.length > bytesMax) refuse(`it has more than ${bytesMax} bytes`);
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw new MotteError('MOT-1002', `${path}:${lineOf(bytes, nul)}: it holds a NUL byte`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (fault) {
    return refuse('it is not text in UTF-8', fault);
  }
}

/** The lines of such a file, without their ends. Throws MOT-1002. */
export function readSourceLines(path: string, bytesMax: number): SourceLine[] {
  return readSource(path, bytesMax)
    .split('\n')
    .map((text, i) => {
      const place = { file: path, line: i + 1 };
      if (text.length > LINE_MAX)
        throw new MotteError('MOT-1002', `${placeText(place)}: it is longer than ${LINE_MAX} characters`);
      return { text: text.trimEnd(), place };
    });
}

function readUpTo(file: number, bytesMax: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < bytesMax) {
    const part = new Uint8Array(Math.min(PART_BYTES, bytesMax - length));
    const read = readSync(file, part, 0, part.length, null);
    if (read === 0) break;
    parts.push(part.subarray(0, read));
    length += read;
  }
  return Buffer.concat(parts);
}

function lineOf(bytes: Uint8Array, at: number): number {
  let line = 1;
  for (let i = 0; i < at; i++) if (bytes[i] === NEWLINE) line += 1;
  return line;
}

const PART_BYTES = 256 * 1024;
const LINE_MAX = 16_384;
const MISTAKES_MAX = 50;
const NEWLINE = 0x0a;
