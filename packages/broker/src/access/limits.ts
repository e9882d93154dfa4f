// How much a policy may hold. What is beyond is refused when it is read; nothing of it is in force then.

export const POLICY_LIMITS = {
  /** Of the file. */
  bytesMax: 1024 * 1024,
  rulesMax: 10_000,
  rolesMax: 1_000,
  groupsMax: 1_000,
  /** Of all groups together. */
  membersMax: 20_000,
  testsMax: 5_000,
  /** Characters of one rule or test. */
  lineMax: 2_048,
} as const;
