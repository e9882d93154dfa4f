// What to do about a refusal: one table, asked by deciding rule first, then by reason, then by layer.

import type { Reason } from '@motte/wire';
import type { Layer } from '../ports/verdict.ts';
import { type Asked, askCommand } from './ask-command.ts';

export interface RefusalFacts extends Asked {
  readonly layer: Layer;
  readonly reason: Reason;
  readonly rule: string;
}

/** One sentence of what the operator can do; never empty. */
export function adviceFor(refusal: RefusalFacts): string {
  // First, for the sentence holds the peer's own topic.
  if (refusal.layer === 'access' && refusal.reason === 'not-authorized') return policyAdvice(refusal);
  const text = `${refusal.rule} ${refusal.because}`.toLowerCase();
  for (const [words, advice] of BY_WORDS) if (words.every((word) => text.includes(word))) return advice;
  return BY_REASON.get(refusal.reason) ?? BY_LAYER[refusal.layer];
}

function policyAdvice(refusal: RefusalFacts): string {
  const asks = askCommand(refusal);
  if (asks === undefined) return BY_LAYER.access;
  return `See the rules by \`${asks}\`; if it should be allowed, add one to what \`motte policy export FILE\` writes and \`motte policy apply FILE\`; else correct the topic in the client.`;
}

// What the rule or the sentence speaks of; the first row whose words all occur is taken.
const BY_WORDS: readonly (readonly [readonly string[], string])[] = [
  // First, for an origin is the peer's own text.
  [
    ['listeners.origins'],
    'A page may connect only if its origin stands in `origins` of the listener; Paho for C and Python name the listener itself.',
  ],
  [
    ["this machine's clock says"],
    'Set the clock of this machine, or wait for its time service (`timedatectl`); clients try again by themselves.',
  ],
  // Before the words that a certificate may be refused with: what a token says is in quotes, and comes after its rule.
  [
    ['tls.clientca.roles'],
    'Register it with `motte device add NAME --ca ID`, or give the authority `roles` in `tls.clientCa`.',
  ],
  [
    ['tls.clientca.names'],
    'What an authority may prove stands in `names` of `tls.clientCa`; the name is read as `identity` says.',
  ],
  [
    ['listeners.identity'],
    'Compare `identity` of the listener with the certificate: `openssl x509 -in FILE -noout -text`.',
  ],
  [
    ['revocation.stale'],
    'Fetch a newer revocation list of that CA, or give the one that is missing: see `tls.crl`, and `motte status`.',
  ],
  [
    ['tls.ocsp', 'too many'],
    'The responder is slow or many devices come at once: they try again; `motte status` says whether it answers.',
  ],
  [
    ['tls.ocsp', 'does not know'],
    'The responder knows no such certificate: ask whoever runs the CA; `url` in `tls.ocsp` may be that of another one.',
  ],
  [
    ['tls.ocsp', 'names no responder'],
    'Give the responder of that CA as `url` in `tls.ocsp`, or add its host to `hosts`.',
  ],
  [
    ['tls.ocsp'],
    'Look at the responder of that CA, and at `motte status`: `openssl ocsp -issuer CA -cert FILE -url URL` asks it.',
  ],
  [
    ['identity.tokens.jwks'],
    'The issuer signs with a key that its key set does not have: look at `jwks` of `identity.tokens`, and at `motte status`.',
  ],
  [['identity.tokens.names'], 'Only the names in `names` of this issuer may come from it: see `identity.tokens`.'],
  [
    ['identity.tokens.revoked'],
    'The token or its name was revoked: `motte token list` shows it, and how to lift that.',
  ],
  [
    ['identity.tokens'],
    "Have the client fetch a fresh token for this broker; compare issuer, audience and claims with `identity.tokens`, and this machine's clock with the issuer's.",
  ],
  [
    ['enrol.token'],
    'Make a new token with `motte device add NAME --token`: it serves one device once, and ends by itself.',
  ],
  [
    ['enrol.join'],
    'Open a join window with `motte device join --for 10m`, or give the device a token with `motte device add NAME --token`.',
  ],
  [
    ['enrol.renew'],
    'Enrol the device anew if it is to stay: `motte device show NAME` tells which certificate it should have.',
  ],
  [
    ['enrol.request'],
    'The device sent a certificate request that cannot be used: P-256, P-384 or RSA of 2048 to 4096 bits.',
  ],
  [['enrol.rate'], 'One source asks too often: let its devices wait, or look what it is.'],
  [['enrol.limit'], 'As much is being enrolled as can be: see `motte device requests`, and deny what nobody needs.'],
  [
    ['memorybytesmax'],
    'Memory is short: see `motte status`; give the broker more, or raise `limits.memoryBytesMax`. Devices with a session come last.',
  ],
  [
    ['listeners.alpn'],
    'Take the protocol name out of the client, set it to `mqtt`, or name it in `alpn` of the listener; wss speaks `http/1.1`.',
  ],
  [
    ['tls.rsa'],
    'Set `tls.rsa: "2048"`, so that the broker has an RSA certificate beside its own, or update the TLS library of the client.',
  ],
  [
    ['identity.throttle'],
    'Correct the password in the client: it keeps trying a wrong one, and is looked at ever less often.',
  ],
  [
    ['identity.scram', 'is wrong'],
    'Correct the user name or the password in the client; `motte user passwd NAME` sets a new one.',
  ],
  [
    ['identity.scram', 'proof'],
    'The password in the client is another one: correct it, or set it anew with `motte user passwd NAME`.',
  ],
  [
    ['identity.scram', 'no user'],
    'Correct the user name in the client, or add the user with `motte user add NAME --scram`.',
  ],
  [
    ['identity.scram'],
    'Somebody may stand between client and broker; else the SCRAM of the client is at fault: update its library.',
  ],
  [['no user name and password'], 'Give the client a user name and a password; `motte user add NAME` makes them.'],
  [
    ['there is no user'],
    'Correct the user name in the client, or add the user: `motte user list`, `motte user add NAME`.',
  ],
  [['is disabled', 'the user'], 'The user is disabled: `motte user list`.'],
  [
    ['loginswaitingmax'],
    'Many logins at once: let clients reconnect with a random delay, or see who floods in `motte why`.',
  ],
  [
    ['identity.posture'],
    'Update the client, or its certificate, to what `identity.posture` wants; `motte who --json` shows how each client comes.',
  ],
  [
    ['identity.psk'],
    'Give the client the name and the key that `motte device add NAME --psk` printed; a lost key is replaced by `motte device remove NAME` and adding the device anew.',
  ],
  [
    ['pre-shared key'],
    'Give the client a name and its key (`--psk-identity`, `--psk`); `motte device add NAME --psk` makes them.',
  ],
  [['tls.minversion'], 'The client is too old for TLS here: update its TLS library, or lower `tls.minVersion`.'],
  [
    ['no certificate'],
    'Give the client its certificate and key (`--cert`, `--key`); `motte device add NAME` makes them.',
  ],
  [
    ['without a certificate'],
    'Give the client its certificate and key (`--cert`, `--key`); `motte device add NAME` makes them.',
  ],
  [
    [', quotas.'],
    'The role bounds that: raise the number in its `quotas` (`motte policy export FILE`, `motte policy apply FILE`), give the client another role as well, or let it do with less.',
  ],
  [
    ['listeners.onexpiry'],
    'Renew what proved it: `motte enrol --renew` on the device or `motte device renew NAME`, or a fresh token; the listener says what becomes of it until then.',
  ],
  [
    ['expired'],
    'The certificate has ended: issue a new one with `motte device add` and check the clock of the device.',
  ],
  [['not yet valid'], "The certificate starts later than now: check the device's clock and this machine's."],
  [['revoked'], 'The certificate was revoked; if the device is to come back, enrol it anew.'],
  [
    ['self-signed'],
    'The client shows a certificate that this CA did not issue: use the one that `motte device add NAME` wrote.',
  ],
  [
    ['issuer'],
    'The client shows a certificate that this CA did not issue: use the one that `motte device add NAME` wrote.',
  ],
  [
    ['foreign'],
    'The client shows a certificate that this CA did not issue: use the one that `motte device add NAME` wrote.',
  ],
  [['not registered'], 'The certificate is good but the registry does not know the name: `motte device list`.'],
  [['disabled'], 'The device is disabled in the registry: `motte device show NAME`.'],
  [
    ['http request', 'plain'],
    'The client speaks without TLS to a TLS port: turn TLS on in the client and give it ca.crt.',
  ],
  [['not tls'], 'The client speaks without TLS to a TLS port: turn TLS on in the client and give it ca.crt.'],
];

const BY_REASON: ReadonlyMap<Reason, string> = new Map<Reason, string>([
  [
    'client-identifier-not-valid',
    'Set the client id to the name of the device, or to NAME/anything; `clientIds: any` on a listener lifts that.',
  ],
  [
    'not-authorized',
    'Who it is must be allowed in: see the identity by `motte device show NAME`, and what the listener takes in `motte config show`.',
  ],
  ['bad-user-name-or-password', 'Correct the password in the client, or set a new one with `motte user passwd NAME`.'],
  [
    'unsupported-protocol-version',
    'Set the client to MQTT 3.1, 3.1.1 or 5.0; `versions` of the listener narrows that.',
  ],
  ['packet-too-large', 'Send smaller packets, or raise `limits.packetBytesMax`.'],
  ['malformed-packet', 'The client or something between breaks MQTT: compare its bytes with the rule named here.'],
  ['protocol-error', 'The client does not keep to MQTT: look at the rule named here and update its library.'],
  ['receive-maximum-exceeded', 'The client must wait for acknowledgements: lower its number of messages in flight.'],
  ['topic-alias-invalid', 'The client uses a topic alias above the maximum that the CONNACK announced.'],
  ['topic-filter-invalid', 'Correct the filter: `#` only at the end, `+` only as a whole level.'],
  ['topic-name-invalid', 'Correct the topic: no wildcard, not empty, no more levels than `limits.topicLevelsMax`.'],
  [
    'keep-alive-timeout',
    'The client was silent for one and a half keep-alives: check the network or raise its keep-alive.',
  ],
  ['quota-exceeded', 'A limit was reached: see `limits` in `motte config show`, or let the client do with less.'],
  ['server-busy', 'Too much at once: let clients reconnect with a random delay, or raise the limit named here.'],
  ['connection-rate-exceeded', 'Too many connections from one source: see `admission`, and `admission.exempt`.'],
  ['banned', 'The source is banned; it ends by itself.'],
  ['bad-authentication-method', 'The client asks for an authentication method that this listener does not have.'],
  ['session-taken-over', 'Two clients use one client id: give each its own, NAME/anything is allowed.'],
  ['administrative-action', 'An administrator ended the connection; the client may connect again.'],
]);

/** Every sentence that stands here as it is. */
export function* allAdvice(): Iterable<string> {
  for (const [, advice] of BY_WORDS) yield advice;
  yield* BY_REASON.values();
  yield* Object.values(BY_LAYER);
}

const BY_LAYER: Readonly<Record<Layer, string>> = {
  admission: 'See `admission` in `motte config show`; loopback is exempt by default.',
  transport: 'Check that the client uses TLS 1.2 or later, trusts ca.crt and shows the certificate it was issued.',
  identity: 'Check the certificate and the client id: `motte device show NAME`.',
  access:
    'Ask for it by `motte access check CLIENT publish|subscribe|receive TOPIC --explain`; roles and rules are in `motte policy show`.',
  protocol: 'The client does not keep to MQTT: look at the rule named here and update its library.',
  broker: 'The broker could not serve the client: see `motte status` and the log.',
};
