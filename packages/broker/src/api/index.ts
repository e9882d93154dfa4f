// broker/api: the admin API. Imports events, ports and @motte/admin only.
export { type ConsoleOptions, type ConsoleTls, type Served, serveConsole, serveSocket } from './serve.ts';
