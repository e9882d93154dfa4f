// The registry of enrolled devices: list, show, register, disable, forget. Certificates are the authority's business: a
// device is registered here after the authority issued for it, and taken away after the authority revoked.

import { MotteError } from '@motte/admin/errors';
import {
  type Device,
  DeviceChange,
  DeviceChanged,
  DeviceDocument,
  DeviceParams,
  DeviceRemoval,
  DeviceRemoved,
  Devices,
  NewDevice,
} from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import { findDevice, isOwnDevice, type RegisteredIdentity } from '../ports/directory.ts';
import { identityLabel } from '../ports/identity.ts';

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

  app.get<{ Params: DeviceParams }>(
    '/api/v1/devices/:name',
    { schema: { params: DeviceParams, response: { 200: DeviceDocument } } },
    async (request): Promise<DeviceDocument> => ({
      format: 1,
      device: showEnrolled(view, request.params.name),
    }),
  );

  app.post<{ Body: NewDevice }>(
    '/api/v1/devices',
    { schema: { body: NewDevice, response: { 201: DeviceDocument } } },
    async (request, reply): Promise<DeviceDocument> => {
      const { name, roles, psk, ca } = request.body;
      const find = () => (ca === undefined ? findDevice(view.directory, name) : view.directory.find(`ca:${ca}`, name));
      if (find() !== undefined) throw new MotteError('MOT-0602', name);
      await view.addDevice({
        name,
        roles,
        ...(ca === undefined ? {} : { ca }),
        ...(psk === undefined ? {} : { verifier: { kind: 'psk', key: psk } }),
      });
      reply.code(201);
      return { format: 1, device: show(view, find(), name) };
    },
  );

  app.patch<{ Params: DeviceParams; Body: DeviceChange }>(
    '/api/v1/devices/:name',
    { schema: { params: DeviceParams, body: DeviceChange, response: { 200: DeviceChanged } } },
    async (request): Promise<DeviceChanged> => {
      const { name } = request.params;
      showEnrolled(view, name);
      const ended = await view.changeDevice(name, request.body.state, request.body.revocation);
      return { format: 1, device: showEnrolled(view, name), ended };
    },
  );

  app.delete<{ Params: DeviceParams; Querystring: DeviceRemoval }>(
    '/api/v1/devices/:name',
    { schema: { params: DeviceParams, querystring: DeviceRemoval, response: { 200: DeviceRemoved } } },
    async (request): Promise<DeviceRemoved> => {
      const { name } = request.params;
      showEnrolled(view, name);
      return { format: 1, ended: await view.removeDevice(name, Number(request.query.revocation)) };
    },
  );
}

function showEnrolled(view: AdminView, name: string): Device {
  return show(view, findDevice(view.directory, name), name);
}

function show(view: AdminView, identity: RegisteredIdentity | undefined, name: string): Device {
  if (identity === undefined) throw new MotteError('MOT-0603', name);
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
