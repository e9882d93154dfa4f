import { describe, expect, it } from 'vitest';
import { parseRule } from './rule.ts';
import { RuleError } from './rule-error.ts';

function errorOf(text: string): RuleError {
  try {
    parseRule(text);
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error(`"${text}" was taken`);
}

describe('parseRule', () => {
  it('reads effect, action, filter and conditions in any order', () => {
    expect(parseRule('allow publish devices/${device}/up/#')).toEqual({
      effect: 'allow',
      action: 'publish',
      filter: 'devices/${device}/up/#',
      conditions: { qosMax: 2, noRetain: false, sealed: false, from: undefined, via: undefined },
      text: 'allow publish devices/${device}/up/#',
    });
    const rule = parseRule('  deny\tall  a/+  via lab qos<=1 from 10.0.0.0/8 sealed no-retain ');
    expect(rule).toMatchObject({ effect: 'deny', action: 'all', filter: 'a/+' });
    expect(rule.conditions).toMatchObject({ qosMax: 1, noRetain: true, sealed: true, via: 'lab' });
    expect(rule.conditions.from?.text).toBe('10.0.0.0/8');
  });

  it('takes a filter with spaces or quotes in single quotes', () => {
    expect(parseRule("allow publish 'line 1/#' no-retain").filter).toBe('line 1/#');
    expect(parseRule("allow publish 'it''s/here'").filter).toBe("it's/here");
    expect(parseRule("allow publish it's/here").filter).toBe("it's/here");
    expect(parseRule("allow all '#'").filter).toBe('#');
    expect(parseRule("allow publish 'sealed'").filter).toBe('sealed');
  });

  it.each([
    ['', 0, 'ends too early', 'allow or deny'],
    ['permit publish a', 0, '"permit" does not belong', 'allow or deny'],
    ["'allow' publish a", 0, '"allow" does not belong', 'allow or deny'],
    ['allow publsh a', 6, '"publsh" does not belong', 'publish, subscribe, receive or all'],
    ['аllow publish a', 0, 'it holds U+0430', 'allow or deny'],
    ['allow\u00a0publish a', 0, 'U+00A0', 'allow or deny'],
    ['allow publish', 13, 'ends where a topic filter is due', '" #" starts a comment'],
    ["allow publish ''", 14, 'is empty', 'levels between slashes'],
    ['allow publish a/#/b', 14, 'is not a topic filter', '# at the end'],
    ['allow publish a+/b', 14, 'is not a topic filter', '+ for any one level'],
    ['allow publish devices/x${device}', 14, 'no placeholder that fills one level', 'between slashes alone'],
    ['allow publish devices/${name}', 14, 'no placeholder', '${client}'],
    ['allow subscribe $share/g/a', 16, 'not about shared', 'follows $share/NAME/'],
    ['allow publish "#"', 14, 'double quotes mean nothing', 'single ones'],
    ['allow publish my topic/#', 17, '"topic/#" is not a condition', 'quote a filter that has a space'],
    ["allow publish 'a b", 14, 'never closed', "another '"],
    ["allow publish 'a'b", 17, 'directly on a closing quote', 'space'],
    ['allow publish a qos<=3', 16, '"qos<=3" is no condition', 'qos<=2'],
    ['allow publish a qos <= 1', 16, '"qos" is no condition', 'without spaces'],
    ['allow publish a sealed sealed', 23, 'twice', 'once'],
    ['allow publish a qos<=1 qos<=2', 23, 'twice', 'once'],
    ['allow publish a from', 20, 'ends after "from"', '10.1.0.0/16'],
    ['allow publish a from 10.0.0.1/8', 21, 'write 10.0.0.0/8', 'network'],
    ['allow publish a via', 19, 'ends after "via"', 'motte.yaml'],
    ['allow publish a via my/listener', 20, 'not the name of a listener', 'motte.yaml'],
  ])('refuses %j and says where, why and what to write', (text, at, why, todo) => {
    const error = errorOf(text);
    expect(error.at).toBe(at);
    expect(error.why).toContain(why);
    expect(error.todo).toContain(todo);
    expect(error.message).toContain(why);
  });
});
