// MQTT load generator of the benchmark: connects a fleet of clients to a broker on this machine, has them publish and
// subscribe, and prints what it measured as one JSON line. `--help` lists the options, bench/README.md explains them.
// Exit codes: 0 all arrived, 1 it could not be done, 2 wrong usage, 3 deliveries were lost.
//
// Build: cc -O2 -std=gnu11 -o bench/build/load bench/load.c bench/load/*.c -lssl -lcrypto
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "load/clock.h"
#include "load/process.h"
#include "load/traffic.h"

#define SETTLE_NS (200 * NS_PER_MS)  // after connecting, for what the broker does behind its last acknowledgement

// A point in time with all counters, so that the difference of two describes what lies between them.
struct mark {
  struct cost cost;
  struct wire wire;
  uint64_t sent, received, acknowledged, ready, resumed;
};

static struct mark take_mark(const struct fleet *fleet) {
  const struct tally *tally = &fleet->tally;
  return (struct mark){
      .cost = measure_cost(fleet->options),
      .wire = fleet_wire(fleet),
      .sent = tally->sent,
      .received = tally->received,
      .acknowledged = tally->acknowledged,
      .ready = tally->ready,
      .resumed = tally->resumed,
  };
}

static double per(double value, uint64_t count) { return count ? value / (double)count : 0; }

// Share of one core that neither the broker nor the generator used: the machine was not theirs alone.
static double other_busy(const struct mark *from, const struct mark *to) {
  const struct cost *a = &from->cost, *b = &to->cost;
  double ours_s = b->broker_cpu_s - a->broker_cpu_s + b->self_cpu_s - a->self_cpu_s;
  double others_s = b->machine_cpu_s - a->machine_cpu_s - ours_s;
  return others_s > 0 ? others_s / seconds(b->at_ns - a->at_ns) : 0;
}

static void report_connects(const struct mark *from, const struct mark *to) {
  uint64_t count = to->ready - from->ready;
  double elapsed_s = seconds(to->cost.at_ns - from->cost.at_ns);
  double grown = (double)to->cost.rss_bytes - (double)from->cost.rss_bytes;
  printf(",\"connections\":%lu,\"resumed\":%lu,\"connect_rate\":%.1f,\"connect_cpu_us\":%.2f,\"connect_busy\":%.3f",
         count, to->resumed - from->resumed, (double)count / elapsed_s,
         per((to->cost.broker_cpu_s - from->cost.broker_cpu_s) * 1e6, count),
         (to->cost.self_cpu_s - from->cost.self_cpu_s) / elapsed_s);
  printf(",\"connect_other_busy\":%.3f", other_busy(from, to));
  printf(",\"rss_before_bytes\":%lu,\"rss_bytes\":%lu,\"rss_per_client_bytes\":%.0f", from->cost.rss_bytes,
         to->cost.rss_bytes, per(grown, count));
}

static void report_traffic(const struct fleet *fleet, const struct traffic *traffic, const struct mark *from,
                           const struct mark *to) {
  double elapsed_s = seconds(to->cost.at_ns - from->cost.at_ns);
  double broker_s = to->cost.broker_cpu_s - from->cost.broker_cpu_s;
  // With the subscribers away nothing is delivered: what the broker has taken over counts instead.
  uint64_t moved = fleet->options->away ? to->acknowledged - from->acknowledged : to->received - from->received;
  printf(",\"sent\":%lu,\"received\":%lu,\"acknowledged\":%lu,\"lost\":%lu,\"misordered\":%lu", to->sent - from->sent,
         to->received - from->received, to->acknowledged - from->acknowledged, traffic->lost, fleet->tally.misordered);
  printf(",\"seconds\":%.3f,\"rate\":%.1f,\"cpu_us_per_message\":%.4f,\"broker_busy\":%.3f,\"load_busy\":%.3f",
         elapsed_s, (double)moved / elapsed_s, per(broker_s * 1e6, moved), broker_s / elapsed_s,
         (to->cost.self_cpu_s - from->cost.self_cpu_s) / elapsed_s);
  printf(",\"other_busy\":%.3f", other_busy(from, to));
  printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"lag_p99_us\":%.1f", histogram_quantile_us(&fleet->tally.latency, 0.5),
         histogram_quantile_us(&fleet->tally.latency, 0.99), histogram_quantile_us(&traffic->lag, 0.99));
  printf(",\"wire_bytes_per_message\":%.2f,\"segments_per_message\":%.4f,\"disk_bytes_per_message\":%.1f",
         per((double)(to->wire.bytes - from->wire.bytes), moved),
         per((double)(to->wire.segments - from->wire.segments), moved),
         per((double)(to->cost.written_bytes - from->cost.written_bytes), moved));
}

static void report_hold(const struct mark *from, const struct mark *to) {
  double elapsed_s = seconds(to->cost.at_ns - from->cost.at_ns);
  printf(",\"seconds\":%.3f,\"broker_busy\":%.4f", elapsed_s,
         (to->cost.broker_cpu_s - from->cost.broker_cpu_s) / elapsed_s);
}

// The traffic modes: warm up, measure, wait for the stragglers. Returns the deliveries lost.
static uint64_t run_traffic(struct fleet *fleet) {
  static struct traffic traffic;
  const struct options *options = fleet->options;
  if (options->retained) fill_retained(fleet);
  if (options->away) fleet_close(fleet, fleet->subscribers, (int)options->subscribers);
  fleet_rest(fleet, now_ns() + SETTLE_NS);
  if (options->warm_s > 0) publish_until(fleet, &traffic, now_ns() + (uint64_t)(options->warm_s * 1e9), 0);

  struct mark from = take_mark(fleet);
  fleet->tally.latency_from_ns = now_ns();
  publish_until(fleet, &traffic, now_ns() + (uint64_t)(options->seconds * 1e9), (uint64_t)options->total);
  if (options->total && !options->away) drain(fleet, &traffic);
  struct mark to = take_mark(fleet);
  drain(fleet, &traffic);
  report_traffic(fleet, &traffic, &from, &to);
  return traffic.lost;
}

// The subscribers come back for what was kept for them.
static uint64_t run_return(struct fleet *fleet) {
  const struct options *options = fleet->options;
  uint64_t expected = fleet->tally.sent * (options->mode == MODE_PAIRS ? 1 : (uint64_t)options->subscribers);
  uint64_t start_ns = now_ns(), moved_ns = start_ns, received = 0;
  fleet_open(fleet, fleet->subscribers, (int)options->subscribers);
  while (fleet->tally.received < expected && now_ns() < moved_ns + NS_PER_S) {
    fleet_poll(fleet, NS_PER_MS);
    if (fleet->tally.received != received) moved_ns = now_ns();
    received = fleet->tally.received;
  }
  double fetch_rate = received ? (double)received / seconds(moved_ns - start_ns) : 0;
  printf(",\"fetched\":%lu,\"fetch_rate\":%.1f", received, fetch_rate);
  return expected - received;
}

int main(int argc, char **argv) {
  static struct options options;
  static struct fleet fleet;
  parse_options(&options, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);             // nanoseconds; the default of 50 us would show in paced runs
  alarm((unsigned)options.max_s + 10);     // in case a loop never comes back to look at the time
  fleet_build(&fleet, &options);

  // A storm is of clients that have been there before: the broker is warm, and with --resume they have tickets.
  if (options.mode == MODE_STORM) {
    fleet_open(&fleet, fleet.clients, fleet.count);
    fleet_rest(&fleet, now_ns() + SETTLE_NS);
    fleet_close(&fleet, fleet.clients, fleet.count);
    fleet_rest(&fleet, now_ns() + SETTLE_NS);
  }
  struct mark before = take_mark(&fleet);
  fleet_open(&fleet, fleet.clients, fleet.count);
  struct mark connected = take_mark(&fleet);

  printf("{\"mode\":\"%s\",\"tls\":%s,\"protocol\":%ld,\"qos\":%ld,\"clients\":%d", mode_name(options.mode),
         options.ca ? "true" : "false", options.protocol, options.qos, fleet.count);
  uint64_t lost = 0;
  if (options.mode == MODE_IDLE) {
    fleet_rest(&fleet, now_ns() + (uint64_t)(options.seconds * 1e9));
    struct mark held = take_mark(&fleet);
    report_hold(&connected, &held);
    connected.cost.rss_bytes = held.cost.rss_bytes;
  } else if (options.mode != MODE_STORM) {
    lost = run_traffic(&fleet);
    if (options.away) lost += run_return(&fleet);
  }
  report_connects(&before, &connected);
  puts("}");
  fleet_close(&fleet, fleet.clients, fleet.count);
  return lost ? 3 : 0;
}
