// An option that may be given several times.

/** For commander: what came before, and this one. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
