// The order in which retained messages are kept and searched: that of the topic with `/` replaced by U+0000, which no topic
// contains [MQTT-4.7.3-2]. Everything below a level then stands together, right after the level itself, and a filter is
// answered by jumping from one possible topic to the next. Works on any text whose order is that of its characters.

export function orderOf(topic: string): string {
  return topic.replaceAll('/', SEPARATOR);
}

/** Where the search for what a filter matches begins; `levels` are those of the filter. */
export function firstOf(levels: readonly string[]): string {
  return fixedLevels(levels, 0);
}

/** What comes right behind a place. */
export function behind(place: string): string {
  return place + SEPARATOR;
}

/** The place itself if the filter matches it, else the least place behind it that could match, or undefined if none can. */
export function nextAfter(levels: readonly string[], place: string): string | undefined {
  const [first] = levels;
  // [MQTT-4.7.2-1]: over all topics that start with `$` at once, to what sorts right behind them.
  if ((first === '#' || first === '+') && place.charCodeAt(0) === DOLLAR) return '%';
  let start = 0;
  let plusEnd = -1;
  for (let i = 0; i < levels.length; i++) {
    const wanted = levels[i] as string;
    if (wanted === '#') return place;
    // The place ends above what the filter asks for: what matches lies below it.
    if (start > place.length) return place + SEPARATOR + fixedLevels(levels, i);
    const separator = place.indexOf(SEPARATOR, start);
    const end = separator === -1 ? place.length : separator;
    if (wanted === '+') {
      plusEnd = end;
    } else {
      const level = place.slice(start, end);
      if (level < wanted) return place.slice(0, start) + fixedLevels(levels, i);
      if (level > wanted) return behindLevel(place, plusEnd);
    }
    start = end + 1;
  }
  return start > place.length ? place : behindLevel(place, plusEnd);
}

/** What comes behind all that shares the place's levels up to `end`. */
function behindLevel(place: string, end: number): string | undefined {
  return end === -1 ? undefined : place.slice(0, end) + BEHIND_SEPARATOR;
}

/** The filter's levels from `start` up to its next wildcard. */
function fixedLevels(levels: readonly string[], start: number): string {
  let end = start;
  while (end < levels.length && levels[end] !== '+' && levels[end] !== '#') end += 1;
  return levels.slice(start, end).join(SEPARATOR);
}

const SEPARATOR = '\u0000';
const BEHIND_SEPARATOR = '\u0001';
const DOLLAR = 0x24;
