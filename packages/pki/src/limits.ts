// Every number of ours in this package, in one place. None of them comes from a standard.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const LIFE_MS = {
  root: 7305 * DAY_MS,
  issuing: 3652 * DAY_MS,
  server: 90 * DAY_MS,
  device: 730 * DAY_MS,
  gateway: 730 * DAY_MS,
  steward: 365 * DAY_MS,
  administrator: 365 * DAY_MS,
} as const;

/** Certificates begin in the past, for devices whose clock is behind. */
export const BACKDATE_MS = HOUR_MS;
/** A device certificate's life: by then every device that is still wanted has had to renew. */
export const OVERLAP_MS = { max: 730 * DAY_MS } as const;
/** A server certificate is replaced when less than this share of its life is left. */
export const SERVER_RENEW_SHARE = 1 / 3;

/** A revocation list is good this long; whoever reads it has to fetch a newer one by then. */
export const CRL_LIFE_MS = 7 * DAY_MS;

export const SERIAL_BYTES = 16;
export const RSA_BITS = { min: 2048, max: 4096 } as const;
export const RSA_EXPONENT_MAX = 2n ** 32n;
export const CSR_CHARACTERS_MAX = 16_384;
export const SERVER_NAMES_MAX = 64;

export const DEVICE_PAGE = 100;
/** Devices that are named of those whose certificates end soon. */
export const ENDING_PAGE = 100;
export const DEVICE_HISTORY_MAX = 20;
export const REVOCATION_PAGE = 300;
/** A question for revocations waits this long for one; well below the deadlines of socket and client. */
export const REVOCATION_WAIT_MS = 4_000;
/** Bytes of a key or certificate file that we are willing to read. */
export const PRIVATE_FILE_BYTES_MAX = 65_536;

/** What a signer may answer, and how long it may take unless its configuration says otherwise. */
export const SIGNATURE_BYTES_MAX = 1_024;
export const SIGNER_DEADLINE_MS = 10_000;
export const PASSPHRASE_BYTES_MAX = 4_096;

/** How long a starting authority or an offline command waits for the lock. */
export const LOCK_WAIT_MS = 5_000;

export interface Rate {
  /** Requests at once. */
  readonly burst: number;
  readonly perMinute: number;
}

export interface SocketLimits {
  readonly connectionsMax: number;
  /** From opening, or from the last answer, to the next whole request; and for the peer to take an answer. */
  readonly requestDeadlineMs: number;
  /** Per method, over all connections; a method not named here is not limited. */
  readonly rates: Readonly<Record<string, Rate>>;
}

export const ADMINISTRATOR_SOCKET: SocketLimits = { connectionsMax: 64, requestDeadlineMs: 10_000, rates: {} };

export const BROKER_SOCKET: SocketLimits = {
  connectionsMax: 16,
  requestDeadlineMs: 10_000,
  rates: {
    'server.issue': { burst: 20, perMinute: 2 },
    'trust.read': { burst: 120, perMinute: 120 },
    'device.ending': { burst: 20, perMinute: 4 },
    'token.redeem': { burst: 120, perMinute: 120 },
    'request.ask': { burst: 120, perMinute: 120 },
    'device.renew': { burst: 120, perMinute: 120 },
    'enrolment.watch': { burst: 120, perMinute: 120 },
    // Each revocation is one more question of the broker's.
    'revocation.read': { burst: 600, perMinute: 1200 },
  },
};

/** How long a refused peer may go on sending before it is cut off; its answer would be lost if it were cut off at once. */
export const REFUSED_LINGER_MS = 500;

/** The client's side: calls under way at once, and the whole time one may take. */
export const CLIENT_CALLS_MAX = 8;
export const CALL_DEADLINE_MS = 15_000;
/** Making a key of a passphrase is slow on purpose, and slower on a small board. */
export const PASSPHRASE_DEADLINE_MS = 120_000;

/** Enrolment. Tokens and requests that are remembered at once, the file they stand in, and the text of a token. */
export const TOKENS_MAX = 1_000;
export const REQUESTS_MAX = 64;
export const BOOK_BYTES_MAX = 4 * 1024 * 1024;
export const TOKEN_CHARACTERS_MAX = 1_024;
export const CERTIFICATE_CHARACTERS_MAX = 16_384;
export const TOKEN_SECONDS = { min: 60, max: 30 * 86_400 } as const;
export const JOIN_SECONDS_MAX = 86_400;
/** A token is dead after so many. */
export const WRONG_TRIES_MAX = 5;
/** A request that nobody decided is forgotten; an ended token is remembered, so that its refusal can say why. */
export const REQUEST_LIFE_MS = DAY_MS;
export const ENROLMENT_KEPT_MS = DAY_MS;
/** The listener stays open for so long after an answer, in case it was lost on the way. */
export const FETCH_AGAIN_MS = 600_000;
export const RENEWALS_A_DAY_MAX = 5;
/** A renewal that is asked for again with the same key within this time gets the same certificate. */
export const RENEWAL_AGAIN_MS = HOUR_MS;
/** The listener is open for renewals from this share of a certificate's life on, and not for ever after its end. */
export const RENEW_OPEN = { share: 0.6, pastEndMs: 30 * DAY_MS } as const;
/** Devices renew at this share of a certificate's life, each a little earlier or later than the others. */
export const RENEW_AT = { share: 2 / 3, jitter: 0.05 } as const;
/** How long the broker is kept waiting when nothing changes; shorter than a socket's deadline. */
export const WATCH_MS = 5_000;
/** Tokens in one list; it has to fit into a line. */
export const LIST_TOKENS_MAX = 200;
