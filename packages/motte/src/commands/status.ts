// `motte status`: 0 every listener accepts · 1 running but degraded · 3 not running or still starting. Never opens or
// locks the data: it asks the broker.

import { MotteError, openAdmin } from '@motte/admin';
import type { CommandFile } from '../command.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const status = await openAdmin(context.data).status();
    if (context.json) context.document(status);
    if (status.phase !== 'serving')
      throw new MotteError('MOT-0501', `it is ${status.phase}`, { remedy: 'try again in a moment' });
    if (!context.json) {
      context.say(
        `${status.healthy ? 'healthy' : 'degraded'}: motte ${status.version}, process ${status.pid}, up ${status.uptimeSeconds} s`,
      );
      context.say(
        renderTable(
          ['LISTENER', 'URL', 'PROOF', 'STATE', 'CONNECTIONS'],
          status.listeners.map((one) => [one.name, one.url, one.authentication, one.state, one.connections]),
        ),
      );
      context.say(status.authoritySeparated ? 'CA separated' : 'trial mode: CA not separated');
      for (const { subject, why } of status.findings) context.say(`${subject}: ${why}`);
    }
    return status.healthy ? 0 : 1;
  },
};
