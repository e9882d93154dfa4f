// Issuers of tokens and revoked tokens: list, add, remove, revoke, lift.

import { MotteError } from '@motte/admin';
import {
  IssuerQuery,
  IssuerRemoved,
  NewTokenIssuer,
  NewTokenRevocation,
  TokenChoice,
  TokenIssuerDocument,
  TokenLifted,
  TokenRevoked,
  Tokens,
} from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import { type TokenChoice as Choice, issuerDocument, revocationDocument } from '../ports/token-desk.ts';

export function addTokenRoutes(app: FastifyInstance, { tokens }: AdminView): void {
  app.get('/api/v1/tokens', { schema: { response: { 200: Tokens } } }, async (): Promise<Tokens> => {
    const issuers = tokens.issuers().map(issuerDocument);
    return { format: 1, issuers, revocations: tokens.revocations().map(revocationDocument) };
  });

  app.post<{ Body: NewTokenIssuer }>(
    '/api/v1/tokens/issuers',
    { schema: { body: NewTokenIssuer, response: { 201: TokenIssuerDocument } } },
    async (request, reply): Promise<TokenIssuerDocument> => {
      const issuer = await tokens.add(request.body);
      reply.code(201);
      return { format: 1, issuer: issuerDocument(issuer) };
    },
  );

  app.delete<{ Querystring: IssuerQuery }>(
    '/api/v1/tokens/issuers',
    { schema: { querystring: IssuerQuery, response: { 200: IssuerRemoved } } },
    async ({ query: { issuer } }): Promise<IssuerRemoved> => ({
      format: 1,
      issuer,
      ...(await tokens.remove(issuer)),
    }),
  );

  app.post<{ Body: NewTokenRevocation }>(
    '/api/v1/tokens/revocations',
    { schema: { body: NewTokenRevocation, response: { 200: TokenRevoked } } },
    async ({ body }): Promise<TokenRevoked> => {
      const { revocation, connections, sessions } = await tokens.revoke(choiceOf(body), body.untilMs ?? 0);
      return { format: 1, revocation: revocationDocument(revocation), connections, sessions };
    },
  );

  app.delete<{ Querystring: TokenChoice }>(
    '/api/v1/tokens/revocations',
    { schema: { querystring: TokenChoice, response: { 200: TokenLifted } } },
    async ({ query }): Promise<TokenLifted> => {
      await tokens.lift(choiceOf(query));
      return { format: 1 };
    },
  );
}

function choiceOf({ issuer, id, name }: TokenChoice): Choice {
  if (id !== undefined && name === undefined) return { issuer, id };
  if (name !== undefined && id === undefined) return { issuer, name };
  throw new MotteError('MOT-0504', 'exactly one of id and name is wanted');
}
