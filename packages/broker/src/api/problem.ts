// Problem documents (RFC 9457): what the API answers instead of a result. The detail is for people, the code for
// programs; a fault of ours says nothing of its inside.

import { diskFault, ERRORS, type ErrorCode, errorRow, MotteError } from '@motte/admin/errors';
import type { FastifyError, FastifyReply } from 'fastify';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

/** The document for a number of the catalogue. */
export function problem(code: ErrorCode, detail: string): ProblemDocument {
  const row = errorRow(code);
  return {
    type: `urn:motte:error:${code}`,
    title: ERRORS[code].what,
    status: row?.status ?? 500,
    detail,
    code,
  };
}

/** Answers with a problem document and no other content. */
export function sendProblem(reply: FastifyReply, document: ProblemDocument): FastifyReply {
  // Serialised here: no response schema of the route may reshape it.
  return reply.code(document.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(document);
}

/** The document for whatever a route threw. */
export function problemOf(fault: FastifyError | MotteError | Error): ProblemDocument {
  if (fault instanceof MotteError) return problem(fault.code, fault.why);
  const { statusCode, validation } = fault as Partial<FastifyError>;
  if (validation !== undefined) return problem('MOT-0504', fault.message);
  if (statusCode === 413) return problem('MOT-0507', 'the body is larger than this API takes');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { ...problem('MOT-0504', fault.message), status: statusCode };
  }
  const disk = diskFault(fault);
  if (disk !== undefined) return problem('MOT-0210', disk);
  return problem('MOT-0508', 'the request could not be served');
}
