// @motte/admin: the admin API's client, its error catalogue, and the types of its documents. The schemas themselves are
// in @motte/admin/schemas, so that a command line that only asks does not load them.
export { type Admin, adminSocketPath, openAdmin } from './client.ts';
export { ERRORS, type ErrorCode, type ExitCode, errorRow, isErrorCode, MotteError } from './errors.ts';
export type { AccessChecked, AccessHolders } from './schemas/access.ts';
export type { Client, Clients, Kicked } from './schemas/clients.ts';
export type { EffectiveConfig } from './schemas/config.ts';
export type { Device, DeviceDocument, Devices, Ended, NewDevice } from './schemas/devices.ts';
export type { Proposal, WatchLine } from './schemas/learning.ts';
export type { PolicyApplied, PolicyDocument, PolicyReport, PolicyVersion } from './schemas/policy.ts';
export type { Refusal, Refusals } from './schemas/refusals.ts';
export type { Status } from './schemas/status.ts';
export type { NewTokenIssuer, Tokens } from './schemas/tokens.ts';
export type { NewUser, User, UserChanged, UserDocument, UserList, UserRemoved } from './schemas/users.ts';
