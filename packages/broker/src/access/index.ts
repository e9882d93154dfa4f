// What others need of policies: to make one, to look at it, to ask it. Who is connected asks through ports/access.ts.

export { BEYOND_RATE, type BeyondRate, QUOTA_NAMES, QUOTAS, type QuotaName } from '../ports/quotas.ts';
export { allowsOf } from './allows-of.ts';
export { askPolicy, heldRight } from './ask.ts';
export { builtInPolicy } from './builtin-roles.ts';
export { type Change, diffPolicies } from './diff.ts';
export { imagineSubject } from './imagine-subject.ts';
export { POLICY_LIMITS } from './limits.ts';
export { FINDINGS_MAX, type Finding, LINTS, type LintId, lintPolicy, lintRegistry } from './lint.ts';
export { nameFault, parseWho, type Who } from './names.ts';
export { type Group, type Policy, policyOf, type Role, type RoleDefaults, roleOfRules, rolesOf } from './policy.ts';
export { type PolicyTest, parsePolicyTest } from './policy-test.ts';
export { quotaLines, type RoleQuotas, statedQuotas } from './quotas.ts';
export { parseRule, type Rule } from './rule.ts';
export { RuleError } from './rule-error.ts';
export { type FailedTest, type Registered, runTests, type TestRun } from './run-tests.ts';
