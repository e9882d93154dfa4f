#include "traffic.h"

#include <stdlib.h>

#include "clock.h"
#include "failure.h"

#define STALL_NS NS_PER_S
#define TURN_MESSAGES_MAX 256  // paced: sent in one turn when behind, before looking at what has come back
#define RETAINED_WINDOW 50

// Unpaced: sent between two looks at what has come back. Looking after every round of the publishers would find one
// message per subscriber and make the generator, not the broker, what limits the throughput.
#define FLOOD_TURN_MESSAGES 250

static uint64_t deliveries_per_message(const struct options *options) {
  if (options->away) return 0;
  return options->mode == MODE_PAIRS ? 1 : (uint64_t)options->subscribers;
}

static uint64_t outstanding(const struct fleet *fleet, const struct traffic *traffic) {
  uint64_t expected = fleet->tally.sent * deliveries_per_message(fleet->options);
  uint64_t arrived = fleet->tally.received + traffic->lost;
  return expected > arrived ? expected - arrived : 0;
}

static long burst_left(const struct options *options, uint64_t sent, uint64_t total) {
  if (total && total - sent < (uint64_t)options->burst) return (long)(total - sent);
  return options->burst;
}

// One time stamp and one write for all of it.
static void publish_burst(struct client *publisher, long count, uint64_t at_ns) {
  for (long i = 0; i < count; i++) client_publish(publisher, at_ns);
  transport_flush(&publisher->transport);
}

// Whether `total` more messages than at `start` are sent and, with QoS 1/2, acknowledged.
static bool is_done(const struct fleet *fleet, const struct tally *start, uint64_t total) {
  if (!total || fleet->tally.sent - start->sent < total) return false;
  return !fleet->options->qos || fleet->tally.acknowledged - start->acknowledged >= total;
}

// ---- as fast as the broker takes it --------------------------------------------------------------------------------

// A QoS 0 message the broker has thrown away never comes back to make room for the next: after a second without
// any arrival the outstanding ones are given up, or the generator would wait for ever.
struct stall {
  uint64_t received, acknowledged, since_ns;
};

static bool has_stalled(struct stall *stall, const struct tally *tally) {
  uint64_t at_ns = now_ns();
  bool moved = tally->received != stall->received || tally->acknowledged != stall->acknowledged;
  if (moved || !stall->since_ns)
    *stall = (struct stall){.received = tally->received, .acknowledged = tally->acknowledged, .since_ns = at_ns};
  return at_ns - stall->since_ns > STALL_NS;
}

static void publish_freely(struct fleet *fleet, struct traffic *traffic, uint64_t until_ns, uint64_t total) {
  const struct options *options = fleet->options;
  struct tally *tally = &fleet->tally;
  struct stall stall = {0};
  struct tally start = fleet->tally;
  uint64_t polled_at = tally->sent;
  while (now_ns() < until_ns && !is_done(fleet, &start, total)) {
    bool idle = true;
    for (int i = 0; i < options->publishers; i++) {
      long count = burst_left(options, tally->sent - start.sent, total);
      if (!count || (!options->qos && outstanding(fleet, traffic) >= (uint64_t)options->inflight)) break;
      if (!client_may_publish(&fleet->publishers[i], count)) continue;
      publish_burst(&fleet->publishers[i], count, now_ns());
      idle = false;
    }
    if (!idle && tally->sent < polled_at + FLOOD_TURN_MESSAGES) continue;
    fleet_poll(fleet, idle ? NS_PER_MS : 0);
    polled_at = tally->sent;
    if (idle && has_stalled(&stall, tally)) traffic->lost += outstanding(fleet, traffic);
  }
}

// ---- at a fixed rate -----------------------------------------------------------------------------------------------

// The publisher whose turn it is, or the next one that has room; NULL when none has.
static struct client *next_publisher(struct fleet *fleet, int *turn, long count) {
  for (int tried = 0; tried < fleet->options->publishers; tried++) {
    struct client *publisher = &fleet->publishers[*turn];
    *turn = (*turn + 1) % (int)fleet->options->publishers;
    if (!fleet->options->qos || client_may_publish(publisher, count)) return publisher;
  }
  return NULL;
}

// Latency is counted from the write, not from the time the message was due: the difference is the generator's own
// and is reported apart. To keep it small the wait ends early and the last microseconds are polled away.
static void publish_paced(struct fleet *fleet, struct traffic *traffic, uint64_t until_ns, uint64_t total) {
  const struct options *options = fleet->options;
  struct tally *tally = &fleet->tally;
  double interval_ns = 1e9 * (double)options->burst / options->rate;
  uint64_t start_ns = now_ns(), early_ns = (uint64_t)options->wake_early_us * NS_PER_US;
  struct tally start = fleet->tally;
  uint64_t bursts = 0;
  int turn = 0;
  for (;;) {
    uint64_t at_ns = now_ns(), due_ns = start_ns + (uint64_t)((double)bursts * interval_ns);
    for (int sent = 0; due_ns <= at_ns && sent < TURN_MESSAGES_MAX; sent++) {
      long count = burst_left(options, tally->sent - start.sent, total);
      struct client *publisher = count ? next_publisher(fleet, &turn, count) : NULL;
      if (!publisher) break;
      if (tally->latency_from_ns != UINT64_MAX) histogram_add(&traffic->lag, at_ns - due_ns);
      publish_burst(publisher, count, at_ns);
      due_ns = start_ns + (uint64_t)((double)++bursts * interval_ns);
      at_ns = now_ns();
    }
    if (at_ns >= until_ns || is_done(fleet, &start, total)) break;
    bool sleeps = due_ns > at_ns + early_ns;
    fleet_poll(fleet, sleeps ? due_ns - at_ns - early_ns : 0);
  }
}

void publish_until(struct fleet *fleet, struct traffic *traffic, uint64_t until_ns, uint64_t total) {
  if (fleet->options->rate > 0) publish_paced(fleet, traffic, until_ns, total);
  else publish_freely(fleet, traffic, until_ns, total);
}

void drain(struct fleet *fleet, struct traffic *traffic) {
  struct stall stall = {0};
  while (outstanding(fleet, traffic) || (fleet->options->qos && fleet->tally.acknowledged < fleet->tally.sent)) {
    fleet_poll(fleet, NS_PER_MS);
    if (!has_stalled(&stall, &fleet->tally)) continue;
    traffic->lost += outstanding(fleet, traffic);
    return;
  }
}

// ---- retained ------------------------------------------------------------------------------------------------------

void fill_retained(struct fleet *fleet) {
  const struct options *options = fleet->options;
  struct client *publisher = &fleet->publishers[0];
  struct publish_frame usual = publisher->frame;
  uint32_t sequence = publisher->sequence;
  int window = publisher->window < RETAINED_WINDOW ? publisher->window : RETAINED_WINDOW;
  for (long i = 0; i < options->retained || publisher->in_flight;) {
    for (; i < options->retained && publisher->in_flight < window; i++) {
      char topic[256];
      render_topic(topic, sizeof topic, options->retained_topic, i);
      publisher->frame = encode_publish((int)options->protocol, topic, 1, true, (size_t)options->size);
      client_publish(publisher, now_ns());
      free(publisher->frame.data);
    }
    transport_flush(&publisher->transport);
    fleet_poll(fleet, NS_PER_MS);
  }
  publisher->frame = usual;
  publisher->sequence = sequence;
  fleet->tally.sent = fleet->tally.acknowledged = 0;
}
