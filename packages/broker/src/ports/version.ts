// The one version of all packages, as documents and topics show it.

export const VERSION = '0.1.0';
