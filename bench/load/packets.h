// The bytes of MQTT 3.1.1 and 5.0 that a load generator needs; knows nothing of sockets.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_type {
  CONNECT = 1, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK,
  PINGREQ, PINGRESP, DISCONNECT,
};

#define PROTOCOL_5 5

// A growing run of bytes, filled at the end and consumed from the front.
struct bytes {
  uint8_t *data;
  size_t start, end, capacity;
};

// Makes room for `size` more bytes and returns where they go; the caller adds what it wrote to `end`.
uint8_t *bytes_reserve(struct bytes *bytes, size_t size);
void bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_release(struct bytes *bytes);

struct connect_fields {
  int protocol;
  const char *client_id;
  uint16_t keep_alive_s;
  bool persistent;
};

void encode_connect(struct bytes *out, const struct connect_fields *fields);
void encode_subscribe(struct bytes *out, int protocol, uint16_t packet_id, char (*filters)[128], int count, int qos);
void encode_acknowledgement(struct bytes *out, enum packet_type type, uint16_t packet_id);
void encode_empty(struct bytes *out, enum packet_type type);

// A PUBLISH kept as a frame that is copied and patched for each message.
struct publish_frame {
  uint8_t *data;
  size_t size;
  size_t packet_id_at;  // 0 with QoS 0
  size_t payload_at;
};

struct publish_frame encode_publish(int protocol, const char *topic, int qos, bool retain, size_t payload_size);

// Finds the packet at `data`: returns its whole size and sets `body`, 0 when more bytes are needed.
size_t find_packet(const uint8_t *data, size_t size, size_t *body);

// Where the payload of a received PUBLISH begins in its body, and its packet id (0 with QoS 0).
size_t find_payload(const uint8_t *body, size_t size, int protocol, uint8_t first_byte, uint16_t *packet_id);

// Receive Maximum of an MQTT 5 CONNACK's body, 65535 when it names none. [MQTT5 3.2.2.3.3]
uint16_t find_receive_maximum(const uint8_t *body, size_t size);

static inline uint16_t read_u16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline void write_u16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}
