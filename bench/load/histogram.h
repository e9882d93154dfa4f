// Counts durations in buckets that are 1/64 of their value wide, so that every message counts, in constant memory.
#pragma once
#include <stdint.h>

#define HISTOGRAM_STEPS 64  // buckets per power of two
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 40)

struct histogram {
  uint64_t count;
  uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);

// The duration in microseconds that `share` (0 to 1) of the entries do not exceed; 0 when there are none.
double histogram_quantile_us(const struct histogram *histogram, double share);
