// Publishing: as fast as the broker takes it or at a fixed rate, and waiting until everything has arrived.
#pragma once
#include "fleet.h"

struct traffic {
  struct histogram lag;  // paced: how late the generator itself was with each message
  uint64_t lost;         // deliveries that never came
};

// Publishes until `until_ns`, or until `total` messages are sent and, with QoS 1/2, acknowledged (0 = no such end).
void publish_until(struct fleet *fleet, struct traffic *traffic, uint64_t until_ns, uint64_t total);

// Waits for all acknowledgements and, unless the subscribers are away, all deliveries. What is missing after a
// second in which nothing came counts as lost.
void drain(struct fleet *fleet, struct traffic *traffic);

// Publishes one retained message on each of `--retained` topics with QoS 1 and waits for the acknowledgements.
void fill_retained(struct fleet *fleet);
