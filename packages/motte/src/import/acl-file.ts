// acl_file: who may read and write what, as mosquitto.conf(5) describes it. Lines before the first `user` are for clients
// without a user name, those after one for that user; patterns are for everybody.

import { PeerError, parseTopicFilter } from '@motte/wire';
import { PLACEHOLDER, PLACEHOLDER_FAULT } from './draft-policy.ts';
import { IMPORT_LIMITS } from './limits.ts';
import { type Mistake, type Place, readSourceLines, type SourceLine, SourceRefused } from './source.ts';

export type AclAccess = 'read' | 'write' | 'readwrite' | 'deny';

export interface AclEntry {
  readonly access: AclAccess;
  /** With %u and %c in patterns. */
  readonly topic: string;
  readonly place: Place;
}

export interface AclFile {
  /** For clients without a user name. */
  readonly anonymous: readonly AclEntry[];
  readonly users: ReadonlyMap<string, readonly AclEntry[]>;
  readonly patterns: readonly AclEntry[];
}

/** Throws MOT-1002, and SourceRefused for lines that mosquitto refuses. */
export function readAclFile(path: string): AclFile {
  const anonymous: AclEntry[] = [];
  const users = new Map<string, AclEntry[]>();
  const patterns: AclEntry[] = [];
  const mistakes: Mistake[] = [];
  let section = anonymous;
  for (const line of readSourceLines(path, IMPORT_LIMITS.aclBytesMax)) {
    if (line.text === '' || line.text.startsWith('#')) continue;
    const [, word = '', rest = ''] = /^ *([^ ]+) *(.*)$/.exec(line.text) ?? [];
    if (word === 'user' && rest !== '') {
      section = users.get(rest) ?? [];
      users.set(rest, section);
    } else if (word === 'topic' || word === 'pattern') {
      const entry = entryOf(rest, line, mistakes);
      if (entry !== undefined) (word === 'topic' ? section : patterns).push(entry);
    } else {
      const why = word === 'user' ? 'user needs a name' : 'a line begins with user, topic or pattern';
      mistakes.push({ place: line.place, why });
    }
  }
  if (mistakes.length > 0) throw new SourceRefused(mistakes);
  return { anonymous, users, patterns };
}

/** `[ACCESS] TOPIC`; a single word is a topic, whatever it reads. */
function entryOf(rest: string, { place }: SourceLine, mistakes: Mistake[]): AclEntry | undefined {
  const [, first = '', second = ''] = /^([^ ]*) *(.*)$/.exec(rest) ?? [];
  const [access, topic] = second === '' ? ['readwrite', first] : [first, second];
  if (!isAccess(access)) {
    mistakes.push({ place, why: 'an access is read, write, readwrite or deny' });
    return undefined;
  }
  if (topic.includes(PLACEHOLDER)) {
    mistakes.push({ place, why: PLACEHOLDER_FAULT });
    return undefined;
  }
  try {
    parseTopicFilter(topic);
  } catch (fault) {
    if (!(fault instanceof PeerError)) throw fault;
    mistakes.push({ place, why: topic === '' ? 'a topic is missing' : `no topic filter: ${fault.message}` });
    return undefined;
  }
  return { access, topic, place };
}

function isAccess(text: string): text is AclAccess {
  return text === 'read' || text === 'write' || text === 'readwrite' || text === 'deny';
}
