// `motte policy check FILE`: reads, judges and tests a policy; changes nothing. 0 right · 1 a test failed · 4 cannot be read.

import { type CommandFile, type Exit } from '../command.ts';
import { PolicyRefused, parsePolicy } from '../policy/document.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { readPolicySource } from '../policy/read-source.ts';
import { replayLines, reportLines } from '../policy/say-report.ts';

export const command: CommandFile = {
  configure: (command) => {
    command.argument('<file>', 'a policy; - for standard input').option('--strict', 'findings are refused, too');
  },
  async run(context, [file = ''], options): Promise<Exit> {
    const source = readPolicySource(file);
    try {
      // Here first, so that every mistake is shown: an answer of the broker has room for one.
      parsePolicy(source.text, source.file);
    } catch (fault) {
      if (context.json && fault instanceof PolicyRefused) {
        context.document({ format: 1, file: source.file, ok: false, mistakes: fault.mistakes, report: null });
      }
      throw fault;
    }
    const report = await withPolicies(context, (policies) => policies.check(source), { writes: false });
    const ok = report.failed.length === 0 && !(options['strict'] === true && report.findings.length > 0);
    if (context.json) context.document({ format: 1, file: source.file, ok, mistakes: [], report });
    else for (const line of [...reportLines(report), ...replayLines(report)]) context.say(line);
    return ok ? 0 : 1;
  },
};
