// Every schema of the admin API. Heavy to load: the command line imports only their types.
export * from './access.ts';
export * from './backup.ts';
export * from './clients.ts';
export * from './config.ts';
export * from './devices.ts';
export * from './learning.ts';
export { NAME_PATTERN, Problem } from './parts.ts';
export * from './policy.ts';
export * from './refusals.ts';
export * from './status.ts';
export * from './tokens.ts';
export * from './users.ts';
