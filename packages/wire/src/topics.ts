// Topic names and filters (4.7, 4.8.2): their grammar and what a filter matches. Limits on levels are the broker's business.

import type { TopicFilter, TopicName } from './packets/types.ts';
import { PeerError, protocolError } from './peer-error.ts';
import { isRefused } from './text.ts';

/** A topic name. Throws PeerError `topic-name-invalid` if it is empty, too long, or holds a wildcard or a refused character. */
export function parseTopicName(name: string): TopicName {
  if (name === '') throw new PeerError('topic-name-invalid', 'MQTT-4.7.3-1', 'the topic name is empty');
  const rule = faultIn(name);
  if (rule !== undefined)
    throw new PeerError('topic-name-invalid', rule, 'the topic name is too long or not allowed text');
  if (hasWildcard(name)) throw new PeerError('topic-name-invalid', 'MQTT-3.3.2-2', 'the topic name holds a wildcard');
  return name as TopicName;
}

/** A response topic ([MQTT-3.3.2-14]). Throws PeerError `protocol-error` if it is empty or holds a wildcard. */
export function checkResponseTopic(name: string): void {
  if (name === '') throw protocolError('MQTT-4.7.3-1', 'the response topic is empty');
  if (hasWildcard(name)) throw protocolError('MQTT-3.3.2-14', 'the response topic holds a wildcard');
}

/** A topic filter, plain or shared. Throws PeerError `topic-filter-invalid` where its grammar is broken. */
export function parseTopicFilter(filter: string): TopicFilter {
  if (filter === '') throw invalidFilter('MQTT-4.7.3-1', 'the topic filter is empty');
  const rule = faultIn(filter);
  if (rule !== undefined) throw invalidFilter(rule, 'the topic filter is too long or not allowed text');
  checkWildcards(filter, filter.startsWith(SHARE) ? plainStart(filter) : 0);
  return filter as TopicFilter;
}

/** The two parts of a shared subscription's filter, or undefined if the filter is a plain one. */
export function shareOf(filter: TopicFilter): { group: string; filter: TopicFilter } | undefined {
  if (!filter.startsWith(SHARE)) return undefined;
  const slash = filter.indexOf('/', SHARE.length);
  return { group: filter.slice(SHARE.length, slash), filter: filter.slice(slash + 1) as TopicFilter };
}

/** How many levels a topic name or a plain filter has, at least 1. */
export function levelsOf(topic: string): number {
  let levels = 1;
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels += 1;
  return levels;
}

/** True if a plain filter matches the topic name. A wildcard in the first level never matches `$…` ([MQTT-4.7.2-1]). */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === DOLLAR && isWildcard(filter.charCodeAt(0))) return false;
  let f = 0;
  let t = 0;
  for (;;) {
    if (filter.charCodeAt(f) === HASH) return true;
    const filterEnd = levelEnd(filter, f);
    const topicEnd = levelEnd(topic, t);
    if (filter.charCodeAt(f) !== PLUS || filterEnd !== f + 1) {
      if (filterEnd - f !== topicEnd - t || !topic.startsWith(filter.slice(f, filterEnd), t)) return false;
    }
    if (topicEnd === topic.length) {
      // `a/#` also matches its parent `a` (4.7.1.2).
      return (
        filterEnd === filter.length || (filterEnd + 2 === filter.length && filter.charCodeAt(filterEnd + 1) === HASH)
      );
    }
    if (filterEnd === filter.length) return false;
    f = filterEnd + 1;
    t = topicEnd + 1;
  }
}

/** True if every topic name that the plain filter `narrow` matches is matched by the plain filter `wide` too. */
export function filterCovers(wide: string, narrow: string): boolean {
  if (narrow.charCodeAt(0) === DOLLAR && isWildcard(wide.charCodeAt(0))) return false;
  // Every name has a first level, so `#` says the same as `+/#`; none is empty, so `/#` says the same as `/+/#`.
  const inner = narrow === '#' ? '+/#' : narrow === '/#' ? '/+/#' : narrow;
  let w = 0;
  let n = 0;
  for (;;) {
    if (wide.charCodeAt(w) === HASH) return true;
    if (inner.charCodeAt(n) === HASH) return false;
    const wideEnd = levelEnd(wide, w);
    const innerEnd = levelEnd(inner, n);
    if (wide.charCodeAt(w) !== PLUS || wideEnd !== w + 1) {
      if (wideEnd - w !== innerEnd - n || !inner.startsWith(wide.slice(w, wideEnd), n)) return false;
    }
    if (innerEnd === inner.length) {
      return wideEnd === wide.length || (wideEnd + 2 === wide.length && wide.charCodeAt(wideEnd + 1) === HASH);
    }
    if (wideEnd === wide.length) return false;
    w = wideEnd + 1;
    n = innerEnd + 1;
  }
}

/** Where the plain filter inside `$share/NAME/FILTER` begins. */
function plainStart(filter: string): number {
  const slash = filter.indexOf('/', SHARE.length);
  const group = slash === -1 ? filter.slice(SHARE.length) : filter.slice(SHARE.length, slash);
  if (group === '') throw invalidFilter('MQTT-4.8.2-1', 'the share name is empty');
  if (hasWildcard(group)) throw invalidFilter('MQTT-4.8.2-2', 'the share name holds a wildcard');
  if (slash === -1 || slash + 1 === filter.length) {
    throw invalidFilter('MQTT-4.8.2-2', 'no topic filter follows the share name');
  }
  return slash + 1;
}

function checkWildcards(filter: string, start: number): void {
  for (let at = start; at < filter.length; at++) {
    const unit = filter.charCodeAt(at);
    if (!isWildcard(unit)) continue;
    const opens = at === start || filter.charCodeAt(at - 1) === SLASH;
    const last = at + 1 === filter.length;
    // 3.1.1 numbers the same two rules [MQTT-4.7.1-2] and [MQTT-4.7.1-3].
    if (unit === HASH && !(opens && last)) {
      throw invalidFilter('MQTT-4.7.1-1', '# must be a level of its own, and the last one');
    }
    if (unit === PLUS && !(opens && (last || filter.charCodeAt(at + 1) === SLASH))) {
      throw invalidFilter('MQTT-4.7.1-2', '+ must be a level of its own');
    }
  }
}

function invalidFilter(rule: string, message: string): PeerError {
  return new PeerError('topic-filter-invalid', rule, message);
}

/** The rule that characters or length of a topic break, or undefined. */
function faultIn(topic: string): string | undefined {
  let bytes = topic.length;
  for (let i = 0; i < topic.length; i++) {
    const unit = topic.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit === 0) return 'MQTT-4.7.3-2';
    const point = topic.codePointAt(i) as number;
    if (isRefused(point)) return '1.5.4';
    bytes += point > 0x7ff ? 2 : 1;
    if (point > 0xffff) i += 1;
  }
  return bytes > TOPIC_BYTES_MAX ? 'MQTT-4.7.3-3' : undefined;
}

function hasWildcard(text: string): boolean {
  return text.includes('#') || text.includes('+');
}

function isWildcard(unit: number): boolean {
  return unit === HASH || unit === PLUS;
}

function levelEnd(topic: string, start: number): number {
  const slash = topic.indexOf('/', start);
  return slash === -1 ? topic.length : slash;
}

/** [MQTT-4.7.3-3]: what a two byte length can say. */
const TOPIC_BYTES_MAX = 65_535;
const SHARE = '$share/';
const HASH = 0x23;
const DOLLAR = 0x24;
const PLUS = 0x2b;
const SLASH = 0x2f;
