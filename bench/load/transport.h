// A non-blocking socket with or without TLS and the bytes that wait to be written to it; knows nothing of MQTT.
#pragma once
#include "identity.h"
#include "packets.h"

enum transport_phase { TRANSPORT_CLOSED, TRANSPORT_OPENING, TRANSPORT_SECURING, TRANSPORT_OPEN };

struct transport {
  char label[24];  // names the owner in error messages
  int poll_fd;
  void *poll_data;  // what epoll hands back
  const struct identities *identities;
  const struct identity *identity;

  enum transport_phase phase;
  int fd;
  SSL *ssl;
  SSL_SESSION *session;  // outlives a connection, for the next to resume
  bool resumed;
  bool polls_writes;
  struct bytes out;
  uint64_t wrote_at_ns;
};

// Starts to connect to `address`.
void transport_open(struct transport *transport, const struct sockaddr_in *address);

// Goes on with connecting and the TLS handshake after epoll reported something; true when the transport is open.
bool transport_advance(struct transport *transport);

// Writes what `out` holds, as far as the socket takes it; the rest goes when epoll reports EPOLLOUT.
void transport_flush(struct transport *transport);

// Bytes read, 0 when there are none now; gives up when the broker closed.
size_t transport_read(struct transport *transport, uint8_t *data, size_t size);

void transport_close(struct transport *transport);

// Ends the program with a message that names the owner.
__attribute__((noreturn)) void transport_give_up(const struct transport *transport, const char *what);
