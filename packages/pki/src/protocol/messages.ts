// Requests and answers as lines, and the parser of both, which trusts neither. A request is {id, method, params}, an answer
// {id, result} or {id, error: {code, why}}; a field that the table of methods does not name is refused.

import { AuthorityFault, type AuthorityFaultCode, isAuthorityFaultCode } from './faults.ts';
import { type Field, METHODS, type Method, type Methods } from './methods.ts';

export type Request = { [M in Method]: { id: number; method: M; params: Methods[M]['params'] } }[Method];

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: AuthorityFaultCode; readonly why: string } };

const ID_MAX = 2 ** 31 - 1;

/** Parses one line as a request; throws MOT-0426 for whatever is not exactly one. */
export function parseRequest(line: string): Request {
  const document = parseObject(line);
  refuseUnknown(document, ['id', 'method', 'params']);
  const { id, method, params } = document as { id?: unknown; method?: unknown; params?: unknown };
  if (!isId(id)) throw refused('id is not a whole number from 0');
  if (typeof method !== 'string' || !Object.hasOwn(METHODS, method)) throw refused('no such method');
  const fields: Record<string, Field> = METHODS[method as Method].params;
  return { id, method, params: parseParams(fields, params ?? {}) } as Request;
}

/** Parses one line as an answer; the result itself is the authority's word and is not looked into. */
export function parseAnswer(line: string): Answer {
  const document = parseObject(line) as { id?: unknown; result?: unknown; error?: unknown };
  refuseUnknown(document, ['id', 'result', 'error']);
  const { id, result, error } = document;
  if (!isId(id)) throw refused('an answer without id');
  if (error === undefined) return { id, result };
  const { code, why } = isObject(error) ? (error as { code?: unknown; why?: unknown }) : {};
  if (!isAuthorityFaultCode(code) || typeof why !== 'string') throw refused('an error without code or reason');
  return { id, error: { code, why } };
}

function parseParams(fields: Record<string, Field>, params: unknown): Record<string, unknown> {
  if (!isObject(params)) throw refused('params is not an object');
  refuseUnknown(params, Object.keys(fields));
  const parsed: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(params, name) ? params[name] : field.otherwise;
    if (typeof value !== field.kind) throw refused(`${name} is not a ${field.kind}`);
    if (typeof value === 'number' && !isCount(value)) throw refused(`${name} is not a whole number from 0`);
    parsed[name] = value;
  }
  return parsed;
}

function parseObject(line: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    throw refused('not JSON');
  }
  if (!isObject(document)) throw refused('not an object');
  return document;
}

function refuseUnknown(object: object, known: readonly string[]): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refused(`unknown field ${JSON.stringify(unknown.slice(0, 40))}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ID_MAX;
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0426', why);
}
