#define _GNU_SOURCE
#include "fleet.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "failure.h"

#define EVENTS_PER_POLL 512
#define PING_SWEEP_NS NS_PER_S

void render_topic(char *text, size_t size, const char *template, long number) {
  const char *mark = strstr(template, "%d");
  if (!mark) snprintf(text, size, "%s", template);
  else snprintf(text, size, "%.*s%ld%s", (int)(mark - template), template, number, mark + 2);
}

// ---- building ------------------------------------------------------------------------------------------------------

static void add_client(struct fleet *fleet, enum role role, int number) {
  struct client *client = &fleet->clients[fleet->count];
  *client = (struct client){
      .options = fleet->options,
      .tally = &fleet->tally,
      .role = role,
      .number = number,
      .transport = {.poll_fd = fleet->poll_fd,
                    .poll_data = client,
                    .identities = &fleet->identities,
                    .identity = &fleet->identities.list[fleet->count % fleet->identities.count]},
  };
  fleet->count++;
}

static void give_filters(struct client *client, const char *template, long first, int count) {
  client->filters = allocate((size_t)count, sizeof *client->filters);
  client->filter_count = count;
  for (int i = 0; i < count; i++) render_topic(client->filters[i], sizeof *client->filters, template, first + i);
}

static void add_subscriber(struct fleet *fleet, int number) {
  const struct options *options = fleet->options;
  struct client *client = &fleet->clients[fleet->count];
  add_client(fleet, ROLE_SUBSCRIBER, number);
  if (options->mode == MODE_FAN_IN) give_filters(client, options->filter, 0, 1);
  else give_filters(client, options->topic, options->mode == MODE_PAIRS ? number : 0, 1);
}

// The subscriptions are dealt as evenly as they go, numbered without gaps.
static void add_idle(struct fleet *fleet, int number) {
  const struct options *options = fleet->options;
  struct client *client = &fleet->clients[fleet->count];
  add_client(fleet, ROLE_IDLE, number);
  long first = options->idle_subscriptions * number / options->idle;
  long next = options->idle_subscriptions * (number + 1) / options->idle;
  if (next > first) give_filters(client, options->idle_filter, first, (int)(next - first));
}

static void add_publisher(struct fleet *fleet, int number) {
  const struct options *options = fleet->options;
  struct client *client = &fleet->clients[fleet->count];
  add_client(fleet, ROLE_PUBLISHER, number);
  char topic[256];
  render_topic(topic, sizeof topic, options->topic, options->mode == MODE_FAN_OUT ? 0 : number);
  client->frame = encode_publish((int)options->protocol, topic, (int)options->qos, false, (size_t)options->size);
}

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void fleet_build(struct fleet *fleet, const struct options *options) {
  raise_descriptor_limit();
  fleet->options = options;
  fleet->identities = load_identities(options);
  fleet->poll_fd = epoll_create1(EPOLL_CLOEXEC);
  fleet->end_ns = now_ns() + (uint64_t)(options->max_s * 1e9);
  fleet->tally.latency_from_ns = UINT64_MAX;
  long count = options->subscribers + options->idle + options->publishers;
  fleet->clients = allocate((size_t)count, sizeof *fleet->clients);
  fleet->subscribers = fleet->clients;
  fleet->publishers = fleet->clients + options->subscribers + options->idle;
  for (int i = 0; i < options->subscribers; i++) add_subscriber(fleet, i);
  for (int i = 0; i < options->idle; i++) add_idle(fleet, i);
  for (int i = 0; i < options->publishers; i++) add_publisher(fleet, i);
}

// ---- polling -------------------------------------------------------------------------------------------------------

static void keep_alive(struct fleet *fleet, uint64_t at_ns) {
  if (at_ns < fleet->ping_sweep_at_ns) return;
  fleet->ping_sweep_at_ns = at_ns + PING_SWEEP_NS;
  for (int i = 0; i < fleet->count; i++) client_ping(&fleet->clients[i], at_ns);
}

void fleet_poll(struct fleet *fleet, uint64_t timeout_ns) {
  struct epoll_event events[EVENTS_PER_POLL];
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S), .tv_nsec = (long)(timeout_ns % NS_PER_S)};
  int count = epoll_pwait2(fleet->poll_fd, events, EVENTS_PER_POLL, &timeout, NULL);
  if (count < 0 && errno != EINTR) fail("epoll: %s", strerror(errno));
  for (int i = 0; i < count; i++) client_serve(events[i].data.ptr, events[i].events);
  uint64_t at_ns = now_ns();
  keep_alive(fleet, at_ns);
  if (at_ns > fleet->end_ns)
    fail("not done after %g s: %llu of %d clients ready, %llu sent, %llu received, %llu acknowledged",
         fleet->options->max_s, (unsigned long long)fleet->tally.ready, fleet->count,
         (unsigned long long)fleet->tally.sent, (unsigned long long)fleet->tally.received,
         (unsigned long long)fleet->tally.acknowledged);
}

void fleet_rest(struct fleet *fleet, uint64_t until_ns) {
  for (uint64_t at_ns; (at_ns = now_ns()) < until_ns;) {
    uint64_t left_ns = until_ns - at_ns;
    fleet_poll(fleet, left_ns < 100 * NS_PER_MS ? left_ns : 100 * NS_PER_MS);
  }
}

// ---- bringing clients up and down ----------------------------------------------------------------------------------

void fleet_open(struct fleet *fleet, struct client *from, int count) {
  const struct options *options = fleet->options;
  uint64_t start_ns = now_ns(), wanted = fleet->tally.ready + (uint64_t)count;
  int opened = 0;
  while (fleet->tally.ready < wanted) {
    int due = count;
    if (options->connect_rate > 0) due = (int)(seconds(now_ns() - start_ns) * options->connect_rate) + 1;
    while (opened < count && opened < due && fleet->tally.opening < (uint64_t)options->concurrency)
      client_open(&from[opened++]);
    fleet_poll(fleet, NS_PER_MS);
  }
}

void fleet_close(struct fleet *fleet, struct client *from, int count) {
  (void)fleet;
  for (int i = 0; i < count; i++) client_close(&from[i]);
}

struct wire fleet_wire(const struct fleet *fleet) {
  struct wire wire = {0};
  for (int i = 0; i < fleet->options->subscribers; i++) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (fleet->subscribers[i].state == CLOSED) continue;
    if (getsockopt(fleet->subscribers[i].transport.fd, IPPROTO_TCP, TCP_INFO, &info, &size)) continue;
    wire.bytes += info.tcpi_bytes_received;
    wire.segments += info.tcpi_data_segs_in;
  }
  return wire;
}
