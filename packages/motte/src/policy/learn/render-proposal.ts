// A proposal as YAML that a person reviews: the role and its tests, and above them, as comments, what else is to be known. All
// that a client chose passes through `printable` there: no topic ends a comment.

import type { Proposal } from '@motte/broker/ports/learning';
import { printable } from '@motte/broker/printable';
import { stringify } from 'yaml';

export function renderProposal(proposal: Omit<Proposal, 'text'>): string {
  const { role, rules, denies, tests } = proposal;
  const document = { roles: { [role]: [...rules, ...denies.map(({ rule }) => rule)] }, tests };
  return `${commentsOf(proposal)
    .map((line) => `${`# ${printable(line, LINE_MAX)}`.trimEnd()}\n`)
    .join('')}${stringify(document, { lineWidth: 0 })}`;
}

function commentsOf({
  identity,
  seconds,
  seen,
  roles,
  role,
  denies,
  refused,
  unsaid,
  unkept,
}: Omit<Proposal, 'text'>): string[] {
  const lines = [
    `Proposed for ${identity}, watched for ${seconds} s under ${roles.length === 0 ? 'no role' : roles.join(', ')}: topics ${seen.topics}, filters ${seen.filters}.`,
    `A part of a policy, for review. \`motte policy apply\` replaces the whole policy: add the role and its tests to yours, give`,
    `${identity} the role ${role}, and take from it what is wider. \`motte policy check\` reads this file as it is.`,
  ];
  const section = (title: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push('', title, ...items.map((item) => `  ${item}`));
  };
  section(
    'Denied to its roles, and to the proposed one:',
    denies.map(({ role: of, rule, place }) => `${rule} (role ${of}, ${place})`),
  );
  section(
    'Refused while it was watched, and not proposed:',
    refused.map(({ action, target, rule }) => `${action} ${target} (${rule})`),
  );
  section(
    'Done, and not said by a rule or test:',
    unsaid.map(({ action, target, why }) => `${action} ${target}: ${why}`),
  );
  const { publishes, filters, refusals } = unkept;
  if (publishes + filters + refusals > 0) {
    section('Beyond what a watch keeps, and not looked at:', [
      `messages ${publishes}, subscriptions ${filters}, refusals ${refusals}`,
    ]);
  }
  return lines;
}

const LINE_MAX = 512;
