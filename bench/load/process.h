// What processes cost, as the kernel accounts for it.
#pragma once
#include "options.h"

struct cost {
  uint64_t at_ns;
  double broker_cpu_s;     // user + system, all threads, all --pid processes
  double self_cpu_s;       // of this generator
  double machine_cpu_s;    // of everything that ran on this machine
  uint64_t rss_bytes;      // resident memory of the broker
  uint64_t written_bytes;  // what the broker made the block layer write
};

// Reads all of it now; gives up when a --pid process is gone.
struct cost measure_cost(const struct options *options);
