// The options by which pub and sub say whom to reach and as whom.

import { type Command, Option } from 'commander';

/** The options that pub and sub share. */
export function addConnectionOptions(command: Command): void {
  command
    .option(
      '--url <url>',
      'mqtts://, wss://, mqtt://, ws:// or mqtt+unix:// (default: the running broker, else mqtts://localhost:8883)',
    )
    .option('--as <name>', 'use the files that `motte device add NAME` wrote to ./NAME')
    .option('--dir <dir>', 'where those files are, if not in ./NAME')
    .option('--ca <file>', 'authorities that the server certificate may come from')
    .option('--cert <file>', 'client certificate')
    .option('--key <file>', 'private key of the certificate')
    .option('--id <client>', 'client id (default: one that the broker assigns)')
    .option('--seal', 'sealed payloads (not in this version)')
    .addOption(new Option('--protocol <version>', 'MQTT version').choices(['3.1', '3.1.1', '5.0']).default('5.0'))
    .addOption(new Option('--qos <n>', 'quality of service').choices(['0', '1', '2']).default('0'));
}
