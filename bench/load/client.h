// One MQTT client: its state and its packets. Never blocks; the fleet polls and calls `client_serve`.
#pragma once
#include "histogram.h"
#include "transport.h"

enum role { ROLE_PUBLISHER, ROLE_SUBSCRIBER, ROLE_IDLE };
enum state { CLOSED, OPENING, GREETING, SUBSCRIBING, READY };

// What all clients count together.
struct tally {
  uint64_t sent, received, acknowledged;
  uint64_t misordered;       // pairs: came again or after a later one
  uint64_t ready;            // clients that are connected and, if they wish to, subscribed
  uint64_t opening;          // clients on their way there
  uint64_t resumed;          // TLS handshakes that resumed a session
  uint64_t latency_from_ns;  // messages stamped before this are not counted in `latency`
  struct histogram latency;
};

struct client {
  struct transport transport;
  const struct options *options;
  struct tally *tally;
  enum role role;
  int number;  // within the role

  enum state state;
  struct bytes rest;  // the beginning of a packet whose end has not come yet
  char (*filters)[128];
  int filter_count;
  bool subscribed;  // the persistent session holds the subscriptions already
  int subacks_missing;

  struct publish_frame frame;
  int window;
  int in_flight;
  uint16_t packet_id;
  uint32_t sequence;  // publisher: of the next message; subscriber in pairs: of the next expected
};

// Starts to connect; `client->state` tells how far it is, READY when all is done.
void client_open(struct client *client);

// Sends DISCONNECT and closes.
void client_close(struct client *client);

// Handles what epoll reported.
void client_serve(struct client *client, uint32_t events);

// Appends a PUBLISH made from `client->frame`, stamped `at_ns`, to what `transport_flush` writes.
void client_publish(struct client *client, uint64_t at_ns);

// Room for `count` more messages: nothing left to write, and the window not full.
bool client_may_publish(const struct client *client, long count);

// Sends PINGREQ when nothing was written for half the keep-alive time.
void client_ping(struct client *client, uint64_t at_ns);
