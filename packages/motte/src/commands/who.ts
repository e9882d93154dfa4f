// `motte who`, `motte client list`: every connection and session, live.

import { type Client, openAdmin } from '@motte/admin';
import type { CommandFile } from '../command.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const clients = await openAdmin(context.data).clients();
    if (context.json) context.document(clients);
    else context.say(renderTable(HEADING, clients.clients.map(cells)));
    return 0;
  },
};

const HEADING = ['STATE', 'IDENTITY', 'CLIENT ID', 'LISTENER', 'FROM', 'MQTT', 'SINCE', 'SUBS', 'QUEUED', 'NOTE'];

function cells(client: Client): (string | number)[] {
  const from = client.address === '' ? '-' : `${client.address}:${client.port}`;
  return [
    client.state,
    client.identity === '' ? '-' : client.identity,
    client.clientId === '' ? '-' : client.clientId,
    client.listener === '' ? '-' : client.listener,
    from,
    versionText(client.version),
    client.since,
    client.subscriptions,
    client.queuedMessages,
    client.weakness,
  ];
}

/** The version as people write it. */
export function versionText(version: number): string {
  return { 3: '3.1', 4: '3.1.1', 5: '5.0' }[version] ?? '-';
}
