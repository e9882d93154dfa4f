// The registry of enrolled devices: list, show, register, disable, forget. Certificates are the authority's business: a
// device is registered here after the authority issued for it, and taken away after the authority revoked.

import { MotteError } from '@motte/admin/errors';
import {
  type Device,
  DeviceChange,
  DeviceChanged,
  DeviceDocument,
  DeviceOf,
  DeviceParams,
  DeviceRemoval,
  DeviceRemoved,
  Devices,
  NewDevice,
} from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import { type DeviceKey, findDevice, isOwnDevice, type RegisteredIdentity } from '../ports/directory.ts';
import { identityLabel, OWN_REALM } from '../ports/identity.ts';

export function addDeviceRoutes(app: FastifyInstance, view: AdminView): void {
  app.get('/api/v1/devices', { schema: { response: { 200: Devices } } }, async (): Promise<Devices> => {
    const connections = new Map<string, number>();
    for (const { identity, state } of view.clients()) {
      if (state === 'connected') connections.set(identity, (connections.get(identity) ?? 0) + 1);
    }
    const devices = view.directory
      .list()
      .filter(isOwnDevice)
      .map((identity) => documentOf(identity, connections.get(identityLabel(identity)) ?? 0))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { format: 1, devices };
  });

  app.get<{ Params: DeviceParams; Querystring: DeviceOf }>(
    '/api/v1/devices/:name',
    { schema: { params: DeviceParams, querystring: DeviceOf, response: { 200: DeviceDocument } } },
    async (request): Promise<DeviceDocument> => ({ format: 1, device: show(view, keyOf(request)) }),
  );

  app.post<{ Body: NewDevice }>(
    '/api/v1/devices',
    { schema: { body: NewDevice, response: { 201: DeviceDocument } } },
    async (request, reply): Promise<DeviceDocument> => {
      const { name, roles, psk, ca } = request.body;
      const key = { name, ...(ca === undefined ? {} : { ca }) };
      if (findDevice(view.directory, key) !== undefined) throw new MotteError('MOT-0602', name);
      await view.addDevice({
        name,
        roles,
        ...(ca === undefined ? {} : { ca }),
        ...(psk === undefined ? {} : { verifier: { kind: 'psk', key: psk } }),
      });
      reply.code(201);
      return { format: 1, device: show(view, key) };
    },
  );

  app.patch<{ Params: DeviceParams; Querystring: DeviceOf; Body: DeviceChange }>(
    '/api/v1/devices/:name',
    { schema: { params: DeviceParams, querystring: DeviceOf, body: DeviceChange, response: { 200: DeviceChanged } } },
    async (request): Promise<DeviceChanged> => {
      const key = keyOf(request);
      const { state, revocation } = request.body;
      // Whom a foreign authority lets in by itself is barred without having been registered.
      if (key.ca === undefined || state !== 'disabled') show(view, key);
      const ended = await view.changeDevice(key, state, revocation);
      return { format: 1, device: show(view, key), ended };
    },
  );

  app.delete<{ Params: DeviceParams; Querystring: DeviceRemoval }>(
    '/api/v1/devices/:name',
    { schema: { params: DeviceParams, querystring: DeviceRemoval, response: { 200: DeviceRemoved } } },
    async (request): Promise<DeviceRemoved> => {
      const key = keyOf(request);
      show(view, key);
      return { format: 1, ended: await view.removeDevice(key, Number(request.query.revocation)) };
    },
  );
}

function keyOf({ params: { name }, query: { ca } }: { params: DeviceParams; query: DeviceOf }): DeviceKey {
  // Its own devices are revoked by the authority: they go by their names alone.
  if (ca === OWN_ID) throw new MotteError('MOT-0413', `${ca} is this broker's own: leave it out`);
  return { name, ...(ca === undefined ? {} : { ca }) };
}

function show(view: AdminView, key: DeviceKey): Device {
  const identity = findDevice(view.directory, key);
  if (identity === undefined)
    throw new MotteError('MOT-0603', key.ca === undefined ? key.name : `${key.name} of ${key.ca}`);
  const label = identityLabel(identity);
  const connections = view.clients().filter((row) => row.identity === label && row.state === 'connected').length;
  return documentOf(identity, connections);
}

function documentOf(identity: RegisteredIdentity, connections: number): Device {
  return {
    name: identity.name,
    realm: identity.realm,
    roles: [...identity.roles],
    state: identity.state,
    added: new Date(identity.addedAtMs).toISOString(),
    connections,
  };
}

const OWN_ID = OWN_REALM.slice(OWN_REALM.indexOf(':') + 1);
