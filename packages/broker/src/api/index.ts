// broker/api: the admin API. Imports events, ports and @motte/admin only.

export { type EnrolListener, type EnrolListenerOptions, type EnrolTls, openEnrolListener } from './enrol/listener.ts';
export { type ConsoleOptions, type ConsoleTls, type Served, serveConsole, serveSocket } from './serve.ts';
