// `motte import mosquitto PATH`: configuration, users and policy from what mosquitto has, into a data directory that is not
// there yet; with --dry-run the report alone. 0 also where something is left out: the report is the answer.

import { join, resolve } from 'node:path';
import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<path>', 'mosquitto.conf, or the directory that it is in')
      .option('--dry-run', 'print the report, write nothing')
      .addHelpText(
        'after',
        '\nReads what mosquitto.conf names: included files, password_file, acl_file, psk_file, dynamic-security.json.\nThe data directory must not exist or be empty.',
      );
  },
  async run(context, [path = ''], options) {
    const { planImport } = await import('../import/plan.ts');
    const { renderReport } = await import('../import/report.ts');
    const { checkTarget, writeImport } = await import('../import/write-data.ts');
    const isDryRun = options['dryRun'] === true;
    if (!isDryRun) checkTarget(context.data);
    const plan = planImport({ path: resolve(path), data: context.data, nowMs: Date.now() });
    const { source, identities, report, config, policy } = plan;
    if (!isDryRun) await writeImport(context.data, plan);
    const { entries, counts } = report;
    if (context.json) {
      const written = isDryRun ? [] : WRITTEN.map((file) => join(context.data, file));
      context.document({
        format: 1,
        dryRun: isDryRun,
        source,
        data: context.data,
        written,
        identities: identities.length,
        counts,
        entries,
        config,
        policy,
      });
      return 0;
    }
    for (const line of renderReport(report)) context.say(line);
    context.say('');
    context.say(`${identities.length} users and devices; from ${source}`);
    if (isDryRun) context.say('nothing was written: without --dry-run it goes into the data directory');
    else {
      context.say(`written: ${WRITTEN.map((file) => join(context.data, file)).join(', ')}`);
      context.say('read the report, motte.yaml and policy.yaml; then `motte start` runs on them');
    }
    return 0;
  },
};

const WRITTEN = ['motte.yaml', 'policy.yaml', join('store', 'registry.json'), join('store', 'policy.json')];
