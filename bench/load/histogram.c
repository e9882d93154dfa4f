#include "histogram.h"

// Below HISTOGRAM_STEPS the bucket is the value itself; above, the power of two and the six bits below the highest.
static uint32_t bucket_of(uint64_t ns) {
  if (ns < HISTOGRAM_STEPS) return (uint32_t)ns;
  int shift = 63 - __builtin_clzll(ns) - 6;
  uint64_t bucket = (uint64_t)(shift + 1) * HISTOGRAM_STEPS + ((ns >> shift) - HISTOGRAM_STEPS);
  return bucket < HISTOGRAM_BUCKETS ? (uint32_t)bucket : HISTOGRAM_BUCKETS - 1;
}

static double middle_of(uint32_t bucket) {
  if (bucket < HISTOGRAM_STEPS) return bucket;
  uint64_t width = 1ULL << (bucket / HISTOGRAM_STEPS - 1);
  return (double)((HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) * width) + (double)width / 2;
}

void histogram_add(struct histogram *histogram, uint64_t ns) {
  histogram->buckets[bucket_of(ns)]++;
  histogram->count++;
}

double histogram_quantile_us(const struct histogram *histogram, double share) {
  if (!histogram->count) return 0;
  uint64_t wanted = (uint64_t)((double)histogram->count * share);
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen > wanted || seen == histogram->count) return middle_of(bucket) / 1000;
  }
  return 0;
}
