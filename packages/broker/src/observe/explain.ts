// A refusal as the lines that `motte why` prints: layer, time, identity, address, packet, topic, rule, code, remedy.

import type { RefusalRow } from '../ports/admin-view.ts';

/** The lines, joined; every field is printable already. */
export function explain(refusal: Omit<RefusalRow, 'text'>): string {
  const lines: [string, string][] = [
    [refusal.reason === 'success' ? 'flagged by' : 'refused by', `${refusal.layer}: ${refusal.because}`],
    ['when', whenText(refusal)],
    ['who', refusal.identity === '' ? 'nobody proven yet' : refusal.identity],
    ['client id', refusal.clientId],
    ['from', refusal.address === '' ? '' : `${refusal.address}, listener ${refusal.listener}`],
    ['packet', refusal.packet],
    ['topic', refusal.topic],
    ['rule', refusal.rule],
    ['client saw', `${refusal.seen} (${refusal.reason}, 0x${refusal.code.toString(16).padStart(2, '0')})`],
    ['what to do', refusal.advice],
  ];
  const shown = lines.filter(([, text]) => text !== '');
  return [refusal.id, ...shown.map(([label, text]) => `  ${label.padEnd(LABEL_WIDTH)}${text}`)].join('\n');
}

function whenText(refusal: Omit<RefusalRow, 'text'>): string {
  const last = new Date(refusal.atMs).toISOString();
  return refusal.count === 1
    ? last
    : `${last}, ${refusal.count} times since ${new Date(refusal.firstMs).toISOString()}`;
}

const LABEL_WIDTH = 12;
