#include "options.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const MODES[] = {"pairs", "fan-in", "fan-out", "idle", "storm"};
#define MODE_COUNT (int)(sizeof MODES / sizeof *MODES)

enum kind { TEXT, WHOLE, REAL, FLAG, MODE, HOST, PORT, PID };

struct option {
  const char *name;
  enum kind kind;
  size_t offset;
  double min, max;
  const char *help;
};

#define AT(field) offsetof(struct options, field)
#define PAYLOAD_MIN 16  // time stamp, sequence number, spare
#define PAYLOAD_MAX 65536

static const struct option OPTIONS[] = {
    {"mode", MODE, AT(mode), 0, 0, "pairs | fan-in | fan-out | idle | storm"},
    {"host", HOST, AT(address), 0, 0, "broker's address, loopback only (127.0.0.1)"},
    {"port", PORT, AT(address), 1, 65535, "broker's port"},
    {"pid", PID, 0, 1, 1 << 30, "broker's process; repeat for several"},
    {"ca", TEXT, AT(ca), 0, 0, "CA certificate: turns TLS on"},
    {"cert", TEXT, AT(cert), 0, 0, "client certificate (chain) for all clients"},
    {"key", TEXT, AT(key), 0, 0, "its private key"},
    {"cert-dir", TEXT, AT(cert_dir), 0, 0, "directory of NAME.crt and NAME.key, dealt to the clients in turn"},
    {"tls-version", TEXT, AT(tls_version), 0, 0, "1.2 or 1.3 only, instead of what is agreed on"},
    {"resume", FLAG, AT(resume), 0, 0, "storm: measure resumed instead of full handshakes"},
    {"protocol", WHOLE, AT(protocol), 4, 5, "4 = MQTT 3.1.1, 5 = MQTT 5.0"},
    {"qos", WHOLE, AT(qos), 0, 2, "of publications and subscriptions"},
    {"keep-alive", WHOLE, AT(keep_alive_s), 1, 65535, "seconds; PINGREQ after half of it without a write"},
    {"persistent", FLAG, AT(persistent), 0, 0, "sessions that outlive their connection"},
    {"client-id", TEXT, AT(client_id), 0, 0, "template: %n identity, %r role, %d number"},
    {"name", TEXT, AT(name), 0, 0, "what %n stands for without --cert-dir"},
    {"topic", TEXT, AT(topic), 0, 0, "template: %d number of the publisher"},
    {"filter", TEXT, AT(filter), 0, 0, "fan-in: the subscribers' filter"},
    {"idle-filter", TEXT, AT(idle_filter), 0, 0, "template of the idle clients' subscriptions"},
    {"retained-topic", TEXT, AT(retained_topic), 0, 0, "template of the retained topics"},
    {"publishers", WHOLE, AT(publishers), 0, CLIENTS_MAX, "clients that publish"},
    {"subscribers", WHOLE, AT(subscribers), 0, CLIENTS_MAX, "clients that subscribe (pairs: as many as publish)"},
    {"idle", WHOLE, AT(idle), 0, CLIENTS_MAX, "clients that are only connected"},
    {"idle-subscriptions", WHOLE, AT(idle_subscriptions), 0, 1000000, "subscriptions, spread over the idle clients"},
    {"retained", WHOLE, AT(retained), 0, 2000000, "retained topics, filled before the measurement"},
    {"size", WHOLE, AT(size), PAYLOAD_MIN, PAYLOAD_MAX, "payload, bytes"},
    {"burst", WHOLE, AT(burst), 1, 1000, "packets per write"},
    {"window", WHOLE, AT(window), 1, 65535, "unacknowledged QoS 1/2 messages per publisher"},
    {"inflight", WHOLE, AT(inflight), 1, 10000000, "unpaced QoS 0: deliveries outstanding, all together"},
    {"away", FLAG, AT(away), 0, 0, "subscribers leave, messages queue, subscribers fetch them (needs --persistent)"},
    {"rate", REAL, AT(rate), 0, 10000000, "messages published per second; 0 = as fast as taken"},
    {"wake-early", WHOLE, AT(wake_early_us), 0, 1000, "paced: microseconds polled before a message is due"},
    {"concurrency", WHOLE, AT(concurrency), 1, 1000, "connections being opened at a time"},
    {"connect-rate", REAL, AT(connect_rate), 0, 1000000, "connections opened per second; 0 = no limit"},
    {"warm", REAL, AT(warm_s), 0, 600, "seconds of the same load before the measurement"},
    {"seconds", REAL, AT(seconds), 0.01, 3600, "measured time; idle: how long the clients stay"},
    {"total", WHOLE, AT(total), 0, 1000000000, "messages published at most in the measured part"},
    {"max-seconds", REAL, AT(max_s), 1, 3600, "hard limit for everything"},
};
#define OPTION_COUNT (sizeof OPTIONS / sizeof *OPTIONS)

__attribute__((noreturn, format(printf, 1, 2))) static void misuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs(" (--help lists the options)\n", stderr);
  va_end(arguments);
  exit(2);
}

static void print_help(void) {
  puts("MQTT load generator: one thread, loopback only, one JSON line on standard output.\n");
  for (size_t i = 0; i < OPTION_COUNT; i++) printf("  --%-20s %s\n", OPTIONS[i].name, OPTIONS[i].help);
  exit(0);
}

static double parse_number(const struct option *option, const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end) misuse("--%s: not a number: %s", option->name, text);
  if (!(value >= option->min && value <= option->max))
    misuse("--%s: %s is not within %g and %g", option->name, text, option->min, option->max);
  if (option->kind != REAL && value != (double)(long)value) misuse("--%s: not a whole number: %s", option->name, text);
  return value;
}

static enum mode parse_mode(const char *text) {
  for (int i = 0; i < MODE_COUNT; i++)
    if (!strcmp(text, MODES[i])) return (enum mode)i;
  misuse("--mode: unknown: %s", text);
}

// A load generator that can be pointed at a stranger's broker is a weapon: this one cannot.
static struct in_addr parse_loopback(const char *text) {
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) != 1) misuse("--host: not an IPv4 address: %s", text);
  if (ntohl(address.s_addr) >> 24 != 127) misuse("--host: %s is not a loopback address", text);
  return address;
}

static void apply(struct options *options, const struct option *option, const char *text) {
  char *field = (char *)options + option->offset;
  switch (option->kind) {
    case TEXT: *(const char **)field = text; break;
    case WHOLE: *(long *)field = (long)parse_number(option, text); break;
    case REAL: *(double *)field = parse_number(option, text); break;
    case FLAG: *(bool *)field = true; break;
    case MODE: *(enum mode *)field = parse_mode(text); break;
    case HOST: options->address.sin_addr = parse_loopback(text); break;
    case PORT: options->address.sin_port = htons((uint16_t)parse_number(option, text)); break;
    case PID:
      if (options->pid_count == PIDS_MAX) misuse("--pid: at most %d", PIDS_MAX);
      options->pids[options->pid_count++] = (pid_t)parse_number(option, text);
      break;
  }
}

// Adjusts the numbers of clients to the mode, then refuses what makes no sense together.
static void settle(struct options *options) {
  bool traffic = options->mode == MODE_PAIRS || options->mode == MODE_FAN_IN || options->mode == MODE_FAN_OUT;
  if (options->mode == MODE_PAIRS) options->subscribers = options->publishers;
  if (!traffic) options->publishers = options->subscribers = 0;
  if (options->retained && !traffic) misuse("--retained needs publishers");
  long clients = options->publishers + options->subscribers + options->idle;
  if (clients == 0) misuse("no clients asked for");
  if (traffic && (!options->publishers || !options->subscribers)) misuse("publishers and subscribers must not be 0");
  if (clients > CLIENTS_MAX) misuse("at most %d clients", CLIENTS_MAX);
  if (!options->address.sin_port) misuse("--port is missing");
  if (options->idle_subscriptions && !options->idle) misuse("--idle-subscriptions needs --idle");
  if (!options->cert != !options->key) misuse("--cert and --key go together");
  if (options->cert && options->cert_dir) misuse("--cert or --cert-dir, not both");
  if ((options->cert || options->cert_dir || options->resume || options->tls_version) && !options->ca)
    misuse("TLS needs --ca");
  if (options->resume && options->mode != MODE_STORM) misuse("--resume needs --mode storm");
  if (options->tls_version && strcmp(options->tls_version, "1.2") && strcmp(options->tls_version, "1.3"))
    misuse("--tls-version: 1.2 or 1.3");
  if (options->away && !(options->persistent && options->qos && traffic && options->total))
    misuse("--away needs --persistent, --qos 1 or 2, --total and a mode with traffic");
  if (options->qos && options->burst > options->window) misuse("--burst is larger than --window");
}

void parse_options(struct options *options, int argc, char **argv) {
  *options = (struct options){
      .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
      .protocol = 4,
      .keep_alive_s = 60,
      .client_id = "%n/%r-%d",
      .name = "bench",
      .topic = "bench/line/%d/cell/temperature",
      .filter = "bench/line/#",
      .idle_filter = "bench/idle/%d/+/state",
      .retained_topic = "bench/retained/%d/state",
      .publishers = 1,
      .subscribers = 1,
      .size = 64,
      .burst = 1,
      .window = 20,
      .inflight = 5000,
      .wake_early_us = 50,
      .concurrency = 50,
      .warm_s = 0,
      .seconds = 5,
      .max_s = 60,
  };
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--help")) print_help();
    const struct option *option = NULL;
    for (size_t k = 0; k < OPTION_COUNT; k++)
      if (!strncmp(argv[i], "--", 2) && !strcmp(argv[i] + 2, OPTIONS[k].name)) option = &OPTIONS[k];
    if (!option) misuse("unknown option %s", argv[i]);
    const char *text = NULL;
    if (option->kind != FLAG && !(text = argv[++i])) misuse("--%s needs a value", option->name);
    apply(options, option, text);
  }
  settle(options);
}

const char *mode_name(enum mode mode) { return MODES[mode]; }
