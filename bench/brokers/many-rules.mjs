// A role with many rules as a plant has them: each machine's branch, some of it denied, and at last what the generator needs.

/** @param {number} count @returns {string[]} */
export function manyRules(count) {
  const rules = [];
  for (let n = 0; rules.length < count - 2; n++) {
    rules.push(`allow publish plant/line-${n % 40}/machine-${n}/up/#`);
    rules.push(`allow subscribe plant/line-${n % 40}/machine-${n}/down/+`);
    rules.push(`deny publish plant/line-${n % 40}/machine-${n}/up/config`);
    rules.push(`allow receive plant/+/machine-${n}/alarm/#`);
  }
  return [...rules.slice(0, count - 2), "allow publish '#'", "allow subscribe '#'"];
}
