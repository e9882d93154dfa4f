// The command line: one struct, filled and checked once, read only afterwards.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum mode { MODE_PAIRS, MODE_FAN_IN, MODE_FAN_OUT, MODE_IDLE, MODE_STORM };

#define PIDS_MAX 16
#define CLIENTS_MAX 20000

struct options {
  enum mode mode;

  // Where to
  struct sockaddr_in address;  // always in 127.0.0.0/8
  pid_t pids[PIDS_MAX];        // the broker's processes, whose cost is measured
  int pid_count;

  // TLS
  const char *ca, *cert, *key, *cert_dir, *tls_version;
  bool resume;

  // MQTT
  long protocol;  // 4 = MQTT 3.1.1, 5 = MQTT 5.0
  long qos;
  long keep_alive_s;
  bool persistent;         // clean start off, sessions outlive the connection
  const char *client_id;   // template: %n identity name, %r role, %d number
  const char *name;        // what %n stands for with one certificate or none
  const char *topic;       // template: %d number of the publisher
  const char *filter;      // what subscribers ask for in fan-in
  const char *idle_filter; // template: %d number of the extra subscription
  const char *retained_topic;  // template: %d number

  // How many, how much
  long publishers, subscribers, idle;
  long idle_subscriptions;  // spread over the idle clients
  long retained;            // retained topics filled before the measurement
  long size;                // payload, bytes
  long burst;               // packets per write
  long window;              // unacknowledged QoS 1/2 messages per publisher
  long inflight;            // undelivered QoS 0 messages of all publishers together
  bool away;                // subscribers leave before the messages are published and fetch them afterwards
  double rate;              // messages published per second; 0 = as fast as the broker takes them
  long wake_early_us;       // paced: stop sleeping this long before a message is due and poll

  // Ramp
  long concurrency;     // connections being opened at a time
  double connect_rate;  // connections opened per second; 0 = no limit

  // Bounds
  double warm_s, seconds, max_s;
  long total;  // messages published in the measured part; 0 = until `seconds` have passed
};

// Fills `options` from the command line. Prints what is wrong and exits with 2 on misuse.
void parse_options(struct options *options, int argc, char **argv);

const char *mode_name(enum mode mode);
