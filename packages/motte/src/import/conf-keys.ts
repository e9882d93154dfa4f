// Every key of mosquitto.conf as its manual page has it (mosquitto.conf(5), 2.0): whose setting it is, and what is said of it
// where nothing more is to be decided. What a key has no row for is reported as unknown.

export type KeyScope =
  /** Of the listener that was opened last, or of the default one. */
  | 'listener'
  /** Of all, or of a listener with `per_listener_settings`. */
  | 'security'
  | 'global'
  /** Of the bridge that was opened last. Such keys may hold passwords; only their names are ever told. */
  | 'bridge';

export interface KeyRow {
  readonly scope: KeyScope;
  /** Undefined where a part of the import of its own decides. */
  readonly says?: { readonly kind: 'changed' | 'unsupported'; readonly why: string };
}

const row = (scope: KeyScope): KeyRow => ({ scope });
const changed = (scope: KeyScope, why: string): KeyRow => ({ scope, says: { kind: 'changed', why } });
const unsupported = (scope: KeyScope, why: string): KeyRow => ({ scope, says: { kind: 'unsupported', why } });

const LOG = changed('global', 'Motte writes its log to standard output, see `log` in motte.yaml');
const STORE = changed(
  'global',
  'Motte keeps sessions, queues and retained messages in its data directory; see `store`',
);
const SERVICE = changed('global', 'what runs the program decides: see the guide on running as a service');
const CIPHERS = changed('listener', 'Motte speaks TLS 1.2 with forward secrecy and TLS 1.3 alone');
const ENGINE = unsupported('listener', 'keys come from files');
const WEB_SERVER = unsupported('listener', 'Motte serves no files');

const GLOBAL: readonly (readonly [string, KeyRow])[] = [
  ...['log_dest', 'log_facility', 'log_timestamp', 'log_timestamp_format', 'log_type', 'connection_messages'].map(
    (key) => [key, LOG] as const,
  ),
  ...['websockets_log_level'].map((key) => [key, LOG] as const),
  ...['persistence', 'retained_persistence', 'persistence_file', 'persistence_location'].map(
    (key) => [key, STORE] as const,
  ),
  ...['autosave_interval', 'autosave_on_changes'].map((key) => [key, STORE] as const),
  ...['user', 'pid_file'].map((key) => [key, SERVICE] as const),
  ['per_listener_settings', row('global')],
  ['include_dir', row('global')],
  ['clientid_prefixes', row('global')],
  ['retain_available', row('global')],
  ['max_inflight_messages', row('global')],
  ['max_queued_messages', row('global')],
  ['max_queued_bytes', row('global')],
  ['max_packet_size', row('global')],
  ['message_size_limit', row('global')],
  ['max_keepalive', row('global')],
  ['memory_limit', row('global')],
  ['persistent_client_expiration', row('global')],
  ['max_inflight_bytes', unsupported('global', 'what is under way is bounded in messages, `limits.inFlightMax`')],
  ['allow_duplicate_messages', changed('global', 'overlapping subscriptions give one copy')],
  ['check_retain_source', changed('global', 'what is retained is checked against the rights of now, always')],
  ['queue_qos0_messages', unsupported('global', 'messages of QoS 0 are not kept for sessions that are away')],
  ['upgrade_outgoing_qos', unsupported('global', 'a message goes out with no more than the QoS it came with')],
  ['retry_interval', changed('global', 'nothing is sent again on a connection that stands')],
  ['set_tcp_nodelay', changed('global', 'it is always set')],
  ['sys_interval', changed('global', '$SYS has an interval of its own')],
  ['websockets_headers_size', changed('global', 'the size of headers is bounded')],
];

const LISTENER: readonly (readonly [string, KeyRow])[] = [
  ...['listener', 'port', 'bind_address', 'bind_interface', 'protocol', 'mount_point', 'max_connections'].map(
    (key) => [key, row('listener')] as const,
  ),
  ...['max_qos', 'maximum_qos', 'max_topic_alias', 'cafile', 'capath', 'certfile', 'keyfile', 'crlfile'].map(
    (key) => [key, row('listener')] as const,
  ),
  ...['tls_version', 'psk_hint', 'require_certificate', 'use_identity_as_username'].map(
    (key) => [key, row('listener')] as const,
  ),
  ...['use_subject_as_username', 'use_username_as_clientid'].map((key) => [key, row('listener')] as const),
  ...['ciphers', 'ciphers_tls1.3', 'dhparamfile'].map((key) => [key, CIPHERS] as const),
  ...['tls_engine', 'tls_engine_kpass_sha1', 'tls_keyform'].map((key) => [key, ENGINE] as const),
  ['http_dir', WEB_SERVER],
  ['socket_domain', changed('listener', 'the address of the listener decides between IPv4 and IPv6')],
];

const SECURITY: readonly (readonly [string, KeyRow])[] = [
  ...['acl_file', 'password_file', 'psk_file', 'allow_anonymous', 'plugin', 'auth_plugin'].map(
    (key) => [key, row('security')] as const,
  ),
  ['allow_zero_length_clientid', changed('security', 'a client without an id is given one below its own name')],
  ['auto_id_prefix', changed('security', 'an id that is given is NAME/ and random characters')],
  ['auth_plugin_deny_special_chars', changed('security', 'names with + # / never match a placeholder')],
];

const BRIDGE = [
  ...['connection', 'address', 'addresses', 'topic', 'clientid', 'remote_clientid', 'local_clientid', 'cleansession'],
  ...['local_cleansession', 'username', 'remote_username', 'local_username', 'password', 'remote_password'],
  ...['local_password', 'idle_timeout', 'keepalive_interval', 'notifications', 'notifications_local_only'],
  ...['notification_topic', 'restart_timeout', 'round_robin', 'start_type', 'threshold', 'try_private'],
];

const KEYS: ReadonlyMap<string, KeyRow> = new Map([
  ...GLOBAL,
  ...LISTENER,
  ...SECURITY,
  ...BRIDGE.map((key) => [key, row('bridge')] as const),
]);

/** Undefined for a key that mosquitto 2.0 does not have. */
export function confKey(key: string): KeyRow | undefined {
  if (key.startsWith('bridge_')) return row('bridge');
  if (key.startsWith('plugin_opt_') || key.startsWith('auth_opt_')) return row('security');
  return KEYS.get(key);
}
