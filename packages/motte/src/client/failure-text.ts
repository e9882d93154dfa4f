// What an error of a connection says to people.

/** The sentence inside an error of OpenSSL, or any other error's own. */
export function failureText(fault: unknown): string {
  const message = fault instanceof Error ? fault.message : String(fault);
  return message.replace(/[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):[\s\S]*$/, '$1').trim();
}
