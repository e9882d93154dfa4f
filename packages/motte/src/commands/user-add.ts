// `motte user add NAME`: somebody or something that logs in with a password.

import { collect } from '../collect.ts';
import type { CommandFile } from '../command.ts';
import { withUsers } from '../users/open-users.ts';
import { readPassword } from '../users/read-password.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<name>', 'letters, digits, dot, underscore, dash; at most 63')
      .option(
        '--role <role>',
        'a role, may be given several times (default: none, who may connect and no more)',
        collect,
        [],
      )
      .option('--scram', 'proves the password by SCRAM-SHA-256 (MQTT 5) without ever sending it')
      .option('--password-file <file>', 'holds the password; without it you are asked');
  },
  async run(context, [name = ''], options) {
    const realm = options['scram'] === true ? 'scram' : 'password';
    const roles = (options['role'] as readonly string[]) ?? [];
    const password = await readPassword(context, name, options);
    const user = await withUsers(context.data, (users) => users.add({ name, realm, roles, password }));
    if (context.json) {
      context.document({ format: 1, user });
      return 0;
    }
    const how =
      realm === 'scram'
        ? 'by SCRAM-SHA-256, on listeners with authentication: scram or any'
        : 'by password, on listeners with authentication: password or any';
    context.say(`user ${user.name} logs in ${how}`);
    context.say(
      user.roles.length === 0
        ? 'it has no role, and may connect and no more: give it one with --role'
        : `its roles: ${user.roles.join(', ')}`,
    );
    context.say(`its client ids are ${user.name} and ${user.name}/anything`);
    return 0;
  },
};
