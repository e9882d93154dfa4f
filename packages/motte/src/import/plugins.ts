// What the plugins of a scope had a say in: the one for dynamic security is read, what any other decided nobody knows.

import { basename } from 'node:path';
import { type ConfPlugin, pathOf, type Scope } from './conf.ts';
import { type DynamicSecurity, readDynamicSecurity } from './dynamic-security.ts';
import type { ImportReport } from './report.ts';
import { type Place, SourceRefused } from './source.ts';

/** Undefined where that plugin is not there; `source` is the path of mosquitto.conf. */
export function dynamicSecurityOf(
  { plugins, settings }: Scope,
  source: string,
  report: ImportReport,
): DynamicSecurity | undefined {
  const plugin = plugins.find(isDynamicSecurity);
  if (plugin === undefined) return undefined;
  const acl = settings.get('acl_file');
  if (acl !== undefined)
    throw new SourceRefused([
      {
        place: acl.place,
        why: 'with the plugin for dynamic security beside it, it is open which of them decides: leave one out',
      },
    ]);
  const file = plugin.options.get('config_file');
  if (file === undefined) throw new SourceRefused([{ place: plugin.place, why: 'plugin_opt_config_file is missing' }]);
  report.same(plugin.place, 'plugin for dynamic security', 'roles and groups of the policy, users');
  return readDynamicSecurity(pathOf(source, file), report);
}

/** True if another plugin may have refused what is not known: then nobody is given a role. */
export function withholdsRoles({ plugins }: Scope, place: Place, report: ImportReport): boolean {
  const others = plugins.filter((plugin) => !isDynamicSecurity(plugin));
  for (const { place: at } of others)
    report.unsupported(
      at,
      'plugin',
      'what it allowed and refused is not known: nobody is given a role; see `motte user` and policy.yaml',
    );
  if (others.length > 0)
    report.changed(place, 'users and keys', 'without roles', 'a plugin had a say in what they may do');
  return others.length > 0;
}

function isDynamicSecurity({ path }: ConfPlugin): boolean {
  return basename(path).includes('dynamic_security');
}
