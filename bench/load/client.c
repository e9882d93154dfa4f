#include "client.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"

#define READ_BYTES 262144
#define FILTERS_PER_SUBSCRIBE 50
#define REFUSED 0x80  // reason codes from here on are errors [MQTT5 2.4]

static const char *const ROLES[] = {"pub", "sub", "idle"};

// ---- opening and closing -------------------------------------------------------------------------------------------

// %n is the identity's name, %r the role, %d the client's number within its role.
static void render_client_id(const struct client *client, char *text, size_t size) {
  size_t at = 0;
  for (const char *c = client->options->client_id; *c && at + 1 < size; c++) {
    size_t left = size - at;
    int written = 0;
    if (c[0] == '%' && c[1] == 'n') written = snprintf(text + at, left, "%s", client->transport.identity->name);
    else if (c[0] == '%' && c[1] == 'r') written = snprintf(text + at, left, "%s", ROLES[client->role]);
    else if (c[0] == '%' && c[1] == 'd') written = snprintf(text + at, left, "%d", client->number);
    if (written) c++;
    else written = snprintf(text + at, left, "%c", *c);
    at += (size_t)written < left ? (size_t)written : left - 1;
  }
  text[at] = 0;
}

void client_open(struct client *client) {
  snprintf(client->transport.label, sizeof client->transport.label, "%s-%d", ROLES[client->role], client->number);
  client->state = OPENING;
  client->tally->opening++;
  transport_open(&client->transport, &client->options->address);
}

static void greet(struct client *client) {
  char client_id[256];
  render_client_id(client, client_id, sizeof client_id);
  struct connect_fields fields = {
      .protocol = (int)client->options->protocol,
      .client_id = client_id,
      .keep_alive_s = (uint16_t)client->options->keep_alive_s,
      .persistent = client->options->persistent,
  };
  encode_connect(&client->transport.out, &fields);
  client->state = GREETING;
  transport_flush(&client->transport);
}

static void become_ready(struct client *client) {
  client->state = READY;
  client->subscribed = client->options->persistent;
  client->tally->opening--;
  client->tally->ready++;
}

static void subscribe(struct client *client) {
  const struct options *options = client->options;
  int count = client->subscribed ? 0 : client->filter_count;
  client->state = SUBSCRIBING;
  client->subacks_missing = 0;
  for (int i = 0; i < count; i += FILTERS_PER_SUBSCRIBE) {
    int some = count - i < FILTERS_PER_SUBSCRIBE ? count - i : FILTERS_PER_SUBSCRIBE;
    uint16_t packet_id = (uint16_t)++client->subacks_missing;
    encode_subscribe(&client->transport.out, (int)options->protocol, packet_id, client->filters + i, some,
                     (int)options->qos);
  }
  if (!client->subacks_missing) become_ready(client);
}

void client_close(struct client *client) {
  if (client->state == CLOSED) return;
  if (client->state == READY) client->tally->ready--;
  else client->tally->opening--;
  if (client->transport.phase == TRANSPORT_OPEN) {
    encode_empty(&client->transport.out, DISCONNECT);
    transport_flush(&client->transport);
  }
  transport_close(&client->transport);
  bytes_release(&client->rest);
  client->in_flight = 0;
  client->state = CLOSED;
}

// ---- sending -------------------------------------------------------------------------------------------------------

bool client_may_publish(const struct client *client, long count) {
  if (client->transport.out.start != client->transport.out.end) return false;
  return !client->options->qos || client->in_flight + count <= client->window;
}

void client_publish(struct client *client, uint64_t at_ns) {
  const struct publish_frame *frame = &client->frame;
  uint8_t *packet = bytes_reserve(&client->transport.out, frame->size);
  memcpy(packet, frame->data, frame->size);
  if (frame->packet_id_at) {
    if (!++client->packet_id) client->packet_id = 1;
    write_u16(packet + frame->packet_id_at, client->packet_id);
    client->in_flight++;
  }
  memcpy(packet + frame->payload_at, &at_ns, sizeof at_ns);
  memcpy(packet + frame->payload_at + sizeof at_ns, &client->sequence, sizeof client->sequence);
  client->sequence++;
  client->transport.out.end += frame->size;
  client->tally->sent++;
}

void client_ping(struct client *client, uint64_t at_ns) {
  uint64_t silence_ns = (uint64_t)client->options->keep_alive_s * NS_PER_S / 2;
  if (client->state != READY || at_ns < client->transport.wrote_at_ns + silence_ns) return;
  encode_empty(&client->transport.out, PINGREQ);
  transport_flush(&client->transport);
}

// ---- receiving -----------------------------------------------------------------------------------------------------

static void take_message(struct client *client, uint8_t first_byte, const uint8_t *body, size_t size, uint64_t at_ns) {
  struct tally *tally = client->tally;
  uint16_t packet_id;
  size_t payload = find_payload(body, size, (int)client->options->protocol, first_byte, &packet_id);
  int qos = first_byte >> 1 & 3;
  if (qos) encode_acknowledgement(&client->transport.out, qos == 1 ? PUBACK : PUBREC, packet_id);
  if (client->role != ROLE_SUBSCRIBER) return;

  uint64_t sent_at;
  uint32_t sequence;
  if (size - payload != (size_t)client->options->size)
    transport_give_up(&client->transport, "a payload of another size came back");
  memcpy(&sent_at, body + payload, sizeof sent_at);
  memcpy(&sequence, body + payload + sizeof sent_at, sizeof sequence);
  tally->received++;
  if (sent_at >= tally->latency_from_ns) histogram_add(&tally->latency, at_ns - sent_at);
  if (client->options->mode != MODE_PAIRS) return;
  if (sequence < client->sequence) tally->misordered++;
  else client->sequence = sequence + 1;
}

static void finish_message(struct client *client) {
  client->in_flight--;
  client->tally->acknowledged++;
}

static void take_connack(struct client *client, const uint8_t *body, size_t size) {
  if (body[1]) {
    char what[64];
    snprintf(what, sizeof what, "refused: CONNACK with code 0x%02x", body[1]);
    transport_give_up(&client->transport, what);
  }
  uint16_t receive_maximum = client->options->protocol == PROTOCOL_5 ? find_receive_maximum(body, size) : UINT16_MAX;
  client->window = client->options->window < receive_maximum ? (int)client->options->window : receive_maximum;
  subscribe(client);
}

static void take_suback(struct client *client, const uint8_t *body, size_t size) {
  size_t at = 2;
  if (client->options->protocol == PROTOCOL_5 && size > 2) at += 1u + body[2];  // its property length takes one byte
  for (; at < size; at++)
    if (body[at] >= REFUSED) transport_give_up(&client->transport, "a subscription was refused");
  if (--client->subacks_missing == 0) become_ready(client);
}

static void check_publish_accepted(const struct client *client, const uint8_t *body, size_t size) {
  if (size > 2 && body[2] >= REFUSED) transport_give_up(&client->transport, "a publication was refused");
}

static void take_packet(struct client *client, uint8_t first_byte, const uint8_t *body, size_t size, uint64_t at_ns) {
  enum packet_type type = first_byte >> 4;
  struct bytes *out = &client->transport.out;
  if (type != PINGRESP && type != DISCONNECT && size < 2)
    transport_give_up(&client->transport, "the broker sent too short a packet");
  switch (type) {
    case CONNACK: take_connack(client, body, size); break;
    case SUBACK: take_suback(client, body, size); break;
    case PUBLISH: take_message(client, first_byte, body, size, at_ns); break;
    case PUBACK:
      check_publish_accepted(client, body, size);
      finish_message(client);
      break;
    case PUBREC:
      check_publish_accepted(client, body, size);
      encode_acknowledgement(out, PUBREL, read_u16(body));
      break;
    case PUBREL: encode_acknowledgement(out, PUBCOMP, read_u16(body)); break;
    case PUBCOMP: finish_message(client); break;
    case PINGRESP: break;
    case DISCONNECT: transport_give_up(&client->transport, "the broker sent DISCONNECT");
    default: transport_give_up(&client->transport, "the broker sent an unexpected packet");
  }
}

// All clients read into the same memory; the beginning of an incomplete packet moves to the client's own `rest`.
static void read_packets(struct client *client) {
  static uint8_t data[READ_BYTES];
  for (;;) {
    size_t size = client->rest.end;
    if (size) memcpy(data, client->rest.data, size);
    size_t fresh = transport_read(&client->transport, data + size, sizeof data - size);
    if (!fresh) break;
    size += fresh;
    client->rest.end = 0;
    uint64_t at_ns = now_ns();
    size_t at = 0, body, whole;
    while ((whole = find_packet(data + at, size - at, &body))) {
      take_packet(client, data[at], data + at + body, whole - body, at_ns);
      at += whole;
    }
    if (at == 0 && size == sizeof data) transport_give_up(&client->transport, "the broker sent too long a packet");
    if (at < size) bytes_append(&client->rest, data + at, size - at);
    // A short read on plain TCP emptied the socket: asking again would only cost a system call.
    if (!client->transport.ssl && fresh < sizeof data / 2) break;
  }
  transport_flush(&client->transport);
}

void client_serve(struct client *client, uint32_t events) {
  if (client->state == CLOSED) return;
  if (client->state == OPENING) {
    if (transport_advance(&client->transport)) {
      if (client->transport.resumed) client->tally->resumed++;
      greet(client);
    }
    return;
  }
  if (events & EPOLLOUT) transport_flush(&client->transport);
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_packets(client);
}
