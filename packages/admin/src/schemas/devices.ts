// GET and POST /api/v1/devices, GET /api/v1/devices/:name: the registry of enrolled devices.

import Type, { type Static } from 'typebox';
import { format, name, time } from './parts.ts';

export const Device = Type.Object({
  name: Type.String(),
  realm: Type.String({
    description: 'what proves it: `ca:motte` a certificate of this authority, `psk` a pre-shared key',
  }),
  roles: Type.Array(Type.String()),
  state: Type.Union([Type.Literal('active'), Type.Literal('disabled')]),
  added: time,
  connections: Type.Integer(),
});

export const Devices = Type.Object({ format, devices: Type.Array(Device) });
export const DeviceDocument = Type.Object({ format, device: Device });

export const NewDevice = Type.Object(
  {
    name,
    roles: Type.Array(name, { maxItems: 32, uniqueItems: true }),
    psk: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9+/]{43}=$',
        description: 'a pre-shared key of 32 bytes, base64, instead of a certificate',
      }),
    ),
  },
  { additionalProperties: false },
);

export const DeviceParams = Type.Object({ name }, { additionalProperties: false });

export type Device = Static<typeof Device>;
export type Devices = Static<typeof Devices>;
export type DeviceDocument = Static<typeof DeviceDocument>;
export type NewDevice = Static<typeof NewDevice>;
export type DeviceParams = Static<typeof DeviceParams>;
