// motte.yaml of an import. What is not opened stands below as a comment, ready to be moved up by whoever answers for it.

import { ConfigRefused, parseText } from '../config/config.ts';
import type { Certificates } from './certificates.ts';
import type { PlannedDoor, PlannedListener } from './listeners.ts';
import type { ImportReport } from './report.ts';
import { placeText } from './source.ts';

export interface ConfigParts {
  readonly doors: readonly PlannedDoor[];
  readonly certificates: Certificates;
  readonly limits: Readonly<Record<string, number>>;
  /** `ID\nROLE`: roles of whomever an authority certifies. */
  readonly certified: readonly string[];
  readonly source: string;
  readonly minVersion: '1.3' | undefined;
  readonly report: ImportReport;
}

/** A file that `motte config check` takes: a listener that it would refuse, such as one of an address that is taken, is shut. */
export function renderConfig(parts: ConfigParts): string {
  const doors: PlannedDoor[] = [];
  for (const door of parts.doors) {
    const fault = door.disabled === undefined ? faultOf({ ...parts, doors: [...doors, door] }) : undefined;
    if (fault !== undefined) parts.report.unsupported(door.place, door.listener.url, `it arrives disabled: ${fault}`);
    doors.push(fault === undefined ? door : { ...door, disabled: fault });
  }
  const text = textOf({ ...parts, doors });
  // What this program writes it also reads; anything else is a mistake of its own.
  parseText(text, 'motte.yaml');
  return text;
}

function faultOf(parts: ConfigParts): string | undefined {
  try {
    parseText(textOf(parts), 'motte.yaml');
    return undefined;
  } catch (fault) {
    if (fault instanceof ConfigRefused) return fault.mistakes[0]?.why ?? fault.why;
    throw fault;
  }
}

function textOf(parts: ConfigParts): string {
  const lines = [
    `# From ${parts.source}, by \`motte import mosquitto\`. See \`motte config schema\` for what else there is.`,
    ...listenerLines(parts.doors),
    ...tlsLines(parts),
    ...(Object.keys(parts.limits).length === 0 ? [] : ['limits:', ...entries(parts.limits)]),
  ];
  return `${lines.join('\n')}\n`;
}

function listenerLines(doors: readonly PlannedDoor[]): string[] {
  const open = doors.filter(({ disabled }) => disabled === undefined);
  const shut = doors.filter(({ disabled }) => disabled !== undefined);
  return [
    ...(open.length === 0 ? ['listeners: []'] : ['listeners:', ...open.map(({ listener }) => `  - ${flow(listener)}`)]),
    ...shut.flatMap(({ listener, disabled, place }) => [
      `  # ${placeText(place)}: ${disabled}`,
      `  # - ${flow(listener)}`,
    ]),
  ];
}

function tlsLines({ certificates, certified, minVersion }: ConfigParts): string[] {
  const lines: string[] = [];
  if (minVersion !== undefined) lines.push(`  minVersion: ${JSON.stringify(minVersion)}`);
  const [certificate] = certificates.servers;
  if (certificate !== undefined) lines.push(`  certificate: ${flow({ cert: certificate.cert, key: certificate.key })}`);
  if (certificates.authorities.length > 0) {
    lines.push('  clientCa:');
    for (const { id, file } of certificates.authorities) {
      const roles = certified.map((one) => one.split('\n')).filter(([of]) => of === id);
      lines.push(`    - ${flow({ id, file, roles: roles.map(([, role]) => role) })}`);
    }
    const lists = certificates.authorities.filter(({ crl }) => crl !== undefined);
    if (lists.length > 0) lines.push('  crl:', ...lists.map(({ id, crl }) => `    - ${flow({ ca: id, file: crl })}`));
  }
  return lines.length === 0 ? [] : ['tls:', ...lines];
}

/** On one line; JSON is YAML. */
function flow(value: PlannedListener | object): string {
  const inner = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(
      ([key, one]) =>
        `${key}: ${typeof one === 'object' && !Array.isArray(one) ? flow(one as object) : JSON.stringify(one)}`,
    );
  return `{ ${inner.join(', ')} }`;
}

function entries(section: Readonly<Record<string, number>>): string[] {
  return Object.entries(section).map(([key, value]) => `  ${key}: ${value}`);
}
