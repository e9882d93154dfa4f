// Loads vectors/mqtt: see vectors/README.md.

import { readdirSync, readFileSync } from 'node:fs';
import type { ProtocolVersion } from '../index.ts';
import { bytesOf } from './notation.ts';

export interface Vector {
  readonly file: string;
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly bytes: Uint8Array;
  /** What decoding gives; undefined where the bytes must be refused. */
  readonly packet: object | undefined;
  /** What encoding `packet` gives. */
  readonly encodes: Uint8Array;
  readonly refused: string | undefined;
  readonly rule: string | undefined;
  /** The id of the same rule in MQTT 3.1.1, where that version numbers its rules otherwise. */
  readonly rule311: string | undefined;
  readonly incomplete: boolean;
}

interface VectorInFile {
  readonly name: string;
  readonly versions: readonly ProtocolVersion[];
  readonly bytes: string | readonly string[];
  readonly packet?: object;
  readonly encodes?: string | readonly string[];
  readonly refused?: string;
  readonly rule?: string;
  readonly rule311?: string;
  readonly incomplete?: boolean;
}

const FOLDER = new URL('../../../../vectors/mqtt/', import.meta.url);

/** Every vector, once for each of its versions. */
export function loadVectors(): Vector[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const content = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as {
        packet?: string;
        vectors: VectorInFile[];
      };
      return content.vectors.flatMap((vector) =>
        vector.versions.map((version) => expand(file, content, vector, version)),
      );
    });
}

function expand(file: string, content: { packet?: string }, vector: VectorInFile, version: ProtocolVersion): Vector {
  const unknown = Object.keys(vector).filter((key) => !KEYS.has(key));
  if (unknown.length > 0) throw new Error(`${file}: ${vector.name}: unknown key ${unknown.join(', ')}`);
  const bytes = bytesOf(join(vector.bytes));
  const { packet } = vector;
  const isBare = content.packet === 'pingreq' || content.packet === 'pingresp';
  const defaults = isBare ? { type: content.packet } : { type: content.packet, properties: {} };
  const mayHaveVersion = content.packet === 'connect' ? { version } : {};
  return {
    file,
    name: vector.name,
    version,
    bytes,
    packet: packet && { ...defaults, ...mayHaveVersion, ...(withBytes(packet) as object) },
    encodes: vector.encodes === undefined ? bytes : bytesOf(join(vector.encodes)),
    refused: vector.incomplete ? 'malformed-packet' : vector.refused,
    rule: vector.rule,
    rule311: vector.rule311,
    incomplete: vector.incomplete ?? false,
  };
}

function withBytes(value: unknown, key = ''): unknown {
  if (BYTES.has(key)) return bytesOf(value as string);
  if (Array.isArray(value)) return value.map((item) => withBytes(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBytes(item, name)]));
}

function join(text: string | readonly string[]): string {
  return typeof text === 'string' ? text : text.join(' ');
}

const KEYS = new Set(['name', 'versions', 'bytes', 'packet', 'encodes', 'refused', 'rule', 'rule311', 'incomplete']);
const BYTES = new Set(['payload', 'password', 'correlationData', 'authenticationData']);
