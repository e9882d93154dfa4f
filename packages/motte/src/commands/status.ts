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
      const [next] = status.ending;
      if (next !== undefined) context.say(`next to end: ${NAMES[next.kind]} ${next.name}, ${endText(next)}`);
      const devices = status.ending.filter(({ kind }) => kind === 'device');
      if (devices.length > 0) {
        const named = devices.map((one) => `${one.name} (${endText(one)})`).join(', ');
        context.say(`${status.counters['devicesEnding'] ?? devices.length} devices have to renew: ${named}`);
      }
      for (const { subject, why } of status.findings) context.say(`${subject}: ${why}`);
    }
    return status.healthy ? 0 : 1;
  },
};

function endText({ daysLeft, notAfter }: { readonly daysLeft: number; readonly notAfter: string }): string {
  return daysLeft < 0 ? `ended on ${notAfter.slice(0, 10)}` : `${daysLeft} days left, until ${notAfter.slice(0, 10)}`;
}

const NAMES = { server: 'server certificate', ca: 'CA', device: 'device' } as const;
