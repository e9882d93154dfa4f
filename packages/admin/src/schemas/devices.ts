// GET and POST /api/v1/devices; GET, PATCH and DELETE /api/v1/devices/:name: the registry of enrolled devices.

import Type, { type Static } from 'typebox';
import { format, name, time } from './parts.ts';

export const Device = Type.Object({
  name: Type.String(),
  realm: Type.String({
    description:
      'what proves it: `ca:motte` a certificate of this authority, `psk` a pre-shared key, `ca:ID` a certificate of an authority of tls.clientCa',
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
    ca: Type.Optional(name),
  },
  { additionalProperties: false },
);

/** What a device lost that was taken away; `wills` were cancelled, not published. */
export const Ended = Type.Object({
  connections: Type.Integer(),
  sessions: Type.Integer(),
  queuedMessages: Type.Integer(),
  wills: Type.Integer(),
});

/** The number that the authority gave with a revocation: all up to it is carried out before the answer. */
const revocation = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const DeviceChange = Type.Object(
  { state: Type.Union([Type.Literal('active'), Type.Literal('disabled')]), revocation },
  { additionalProperties: false },
);
export const DeviceChanged = Type.Object({ format, device: Device, ended: Ended });

const ca = Type.Optional(name);

/** ID of the authority of tls.clientCa that certifies the device; without it one that was enrolled here. */
export const DeviceOf = Type.Object({ ca }, { additionalProperties: false });

export const DeviceRemoval = Type.Object(
  { revocation: Type.String({ pattern: '^[0-9]{1,15}$' }), ca },
  { additionalProperties: false },
);
export const DeviceRemoved = Type.Object({ format, ended: Ended });

export const DeviceParams = Type.Object({ name }, { additionalProperties: false });

export type Device = Static<typeof Device>;
export type Devices = Static<typeof Devices>;
export type DeviceDocument = Static<typeof DeviceDocument>;
export type NewDevice = Static<typeof NewDevice>;
export type Ended = Static<typeof Ended>;
export type DeviceChange = Static<typeof DeviceChange>;
export type DeviceChanged = Static<typeof DeviceChanged>;
export type DeviceOf = Static<typeof DeviceOf>;
export type DeviceRemoval = Static<typeof DeviceRemoval>;
export type DeviceRemoved = Static<typeof DeviceRemoved>;
export type DeviceParams = Static<typeof DeviceParams>;
