// What topic filters have in common: whether two meet, what both cover, whether one covers the other. A placeholder counts as
// any one level.

/** True if some topic is covered by both. */
export function meet(one: string, other: string): boolean {
  const [a, b] = [one.split('/'), other.split('/')];
  if (isApart(a[0], b[0]) || isApart(b[0], a[0])) return false;
  for (let i = 0; ; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === '#' || y === '#') return true;
    if (x === undefined || y === undefined) return x === y;
    if (x !== y && !isAny(x) && !isAny(y)) return false;
  }
}

/** The filter of exactly the topics that both cover, or undefined if there are none. Without placeholders. */
export function common(one: string, other: string): string | undefined {
  if (!meet(one, other)) return undefined;
  const [a, b] = [one.split('/'), other.split('/')];
  const levels: string[] = [];
  for (let i = 0; ; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === '#' || y === '#') return [...levels, ...(x === '#' ? b : a).slice(i)].join('/');
    if (x === undefined || y === undefined) return levels.join('/');
    levels.push(x === '+' ? y : x);
  }
}

/** True if every topic of `inner` is one of `outer`. Without placeholders. */
export function covers(outer: string, inner: string): boolean {
  return common(outer, inner) === inner;
}

/** A wildcard in the first level says nothing about `$…` ([MQTT-4.7.2-1]). */
function isApart(level: string | undefined, other: string | undefined): boolean {
  return level !== undefined && (level === '#' || isAny(level)) && other?.startsWith('$') === true && !isAny(other);
}

function isAny(level: string): boolean {
  return level === '+' || level.startsWith('${');
}
