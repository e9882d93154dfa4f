// All clients of a run: builds them for the mode, brings them up and down, polls them, keeps them alive.
#pragma once
#include "client.h"

struct fleet {
  const struct options *options;
  struct identities identities;
  struct tally tally;
  struct client *clients;  // subscribers, idle clients, publishers, in this order
  int count;
  struct client *subscribers, *publishers;
  int poll_fd;
  uint64_t end_ns;  // past it the run has failed
  uint64_t ping_sweep_at_ns;
};

void fleet_build(struct fleet *fleet, const struct options *options);

// Polls for at most `timeout_ns` and serves what happened; ends the program past `end_ns`.
void fleet_poll(struct fleet *fleet, uint64_t timeout_ns);

// Polls until `until_ns`.
void fleet_rest(struct fleet *fleet, uint64_t until_ns);

// Opens `count` clients, `--concurrency` at a time, and returns when all are ready.
void fleet_open(struct fleet *fleet, struct client *from, int count);
void fleet_close(struct fleet *fleet, struct client *from, int count);

// What arrived at the subscribers' sockets, TLS and all, below it only TCP and IP headers.
struct wire {
  uint64_t bytes;     // TCP payload
  uint64_t segments;  // TCP segments that carried any
};
struct wire fleet_wire(const struct fleet *fleet);

// Fills a template's %d with `number`.
void render_topic(char *text, size_t size, const char *template, long number);
