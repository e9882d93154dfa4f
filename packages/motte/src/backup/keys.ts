// Whom a backup is encrypted for, and what it is opened with, as the options say. A passphrase is never an argument: those
// can be read in the list of processes and in the history of the shell.

import { readFileSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import type { BackupKeys, BackupTo } from '@motte/pki';
import { type Options, textOption } from '../command.ts';
import { said } from '../data/said.ts';
import { askPassphrase, type Terminal } from './ask-passphrase.ts';

const TERMINAL: Terminal = { input: process.stdin, output: process.stderr };

/** From --recipient, --passphrase-file, or a question on the terminal. Throws MOT-0002 and MOT-0439. */
export async function backupTo(options: Options, terminal: Terminal = TERMINAL): Promise<BackupTo> {
  const recipients = listOption(options, 'recipient');
  const file = textOption(options, 'passphraseFile');
  if (recipients.length > 0) {
    if (file !== undefined) throw new MotteError('MOT-0002', 'give recipients or a passphrase, not both');
    const { checkRecipients } = await import('@motte/pki');
    await checkRecipients(recipients);
    return { recipients, passphrase: '' };
  }
  if (file === undefined && terminal.input.isTTY !== true) {
    throw new MotteError('MOT-0002', 'nobody is named who can open the backup', {
      remedy: 'give --recipient age1… or --passphrase-file FILE',
    });
  }
  const passphrase =
    file === undefined ? await askPassphrase(terminal, 'passphrase of the backup: ') : readPassphrase(file);
  if ([...passphrase].length < PASSPHRASE_CHARACTERS_MIN) {
    throw new MotteError('MOT-0002', `a passphrase needs ${PASSPHRASE_CHARACTERS_MIN} characters`, {
      remedy: 'whoever has the file can try passphrases for as long as he likes: take several random words',
    });
  }
  if (file === undefined && (await askPassphrase(terminal, 'once more: ')) !== passphrase) {
    throw new MotteError('MOT-0002', 'the two passphrases differ');
  }
  return { recipients: [], passphrase };
}

/** From --identity, --passphrase-file, or a question; `to` is what the backup says it was encrypted to. */
export async function backupKeys(
  options: Options,
  to: 'recipients' | 'passphrase',
  terminal: Terminal = TERMINAL,
): Promise<BackupKeys> {
  const files = listOption(options, 'identity');
  const file = textOption(options, 'passphraseFile');
  if (to === 'recipients') {
    if (files.length === 0) {
      throw new MotteError('MOT-0002', 'the backup is encrypted to a recipient', {
        remedy: 'give the file with its AGE-SECRET-KEY-1… as --identity FILE',
      });
    }
    const identities = files.flatMap(readIdentities);
    const { checkIdentities } = await import('@motte/pki');
    await checkIdentities(identities);
    return { identities, passphrase: '' };
  }
  if (file === undefined && terminal.input.isTTY !== true) {
    throw new MotteError('MOT-0002', 'the backup is encrypted with a passphrase', {
      remedy: 'give --passphrase-file FILE',
    });
  }
  const passphrase =
    file === undefined ? await askPassphrase(terminal, 'passphrase of the backup: ') : readPassphrase(file);
  if (passphrase === '') throw new MotteError('MOT-0002', 'the passphrase is empty');
  return { identities: [], passphrase };
}

/** The first line, whatever ends it. */
function readPassphrase(path: string): string {
  return readText(path).split(/\r?\n/, 1)[0] ?? '';
}

function readIdentities(path: string): string[] {
  const lines = readText(path)
    .split('\n')
    .map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) throw new MotteError('MOT-0002', `--identity ${path}: no key is in it`);
  return identities;
}

function readText(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > KEY_FILE_CHARACTERS_MAX)
      throw new MotteError('MOT-0002', `${path} is too large for a key or passphrase`);
    return text;
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    throw new MotteError('MOT-0002', `${path}: ${said(fault)}`, {
      remedy: 'check the path and its permissions',
      cause: fault,
    });
  }
}

function listOption(options: Options, name: string): string[] {
  const given = options[name];
  return Array.isArray(given) ? given.map(String) : [];
}

const PASSPHRASE_CHARACTERS_MIN = 12;
const KEY_FILE_CHARACTERS_MAX = 64 * 1024;
