// The roles of an identity on a listener: its own, and the one that the listener gives to everybody.

/** `role` is the listener's, undefined for none. */
export function withListenerRole(roles: readonly string[], role: string | undefined): readonly string[] {
  return role === undefined || roles.includes(role) ? roles : [...roles, role];
}
