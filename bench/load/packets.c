#include "packets.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"

// Reserved header flags that the standard fixes at 0010. [MQTT-2.2.2-1, MQTT5 2.1.3]
#define FLAGS_FIXED 0x02
#define RETAIN 0x01
#define CLEAN_START 0x02
#define SESSION_EXPIRY_INTERVAL 0x11
#define RECEIVE_MAXIMUM 0x21
#define SESSION_EXPIRY_S 3600

uint8_t *bytes_reserve(struct bytes *bytes, size_t size) {
  if (bytes->start == bytes->end) bytes->start = bytes->end = 0;
  if (bytes->end + size > bytes->capacity) {
    bytes->capacity = (bytes->end + size) * 2;
    bytes->data = realloc(bytes->data, bytes->capacity);
    if (!bytes->data) fail("out of memory");
  }
  return bytes->data + bytes->end;
}

void bytes_append(struct bytes *bytes, const void *data, size_t size) {
  memcpy(bytes_reserve(bytes, size), data, size);
  bytes->end += size;
}

void bytes_release(struct bytes *bytes) {
  free(bytes->data);
  *bytes = (struct bytes){0};
}

static void append_u8(struct bytes *out, unsigned value) {
  uint8_t byte = (uint8_t)value;
  bytes_append(out, &byte, 1);
}

static void append_u16(struct bytes *out, size_t value) {
  uint8_t pair[2];
  write_u16(pair, (uint16_t)value);
  bytes_append(out, pair, 2);
}

static void append_string(struct bytes *out, const char *text) {
  size_t size = strlen(text);
  append_u16(out, size);
  bytes_append(out, text, size);
}

static void append_length(struct bytes *out, size_t value) {
  do {
    append_u8(out, (value & 127) | (value > 127 ? 128 : 0));
    value >>= 7;
  } while (value);
}

// Reads a variable byte integer: its width in bytes, 0 when it is not complete.
static size_t read_length(const uint8_t *data, size_t size, size_t *value) {
  *value = 0;
  for (size_t i = 0; i < size && i < 4; i++) {
    *value |= (size_t)(data[i] & 127) << (7 * i);
    if (!(data[i] & 128)) return i + 1;
  }
  if (size >= 4) fail("the broker sent a malformed length");
  return 0;
}

static void append_packet(struct bytes *out, unsigned first_byte, struct bytes *body) {
  append_u8(out, first_byte);
  append_length(out, body->end);
  bytes_append(out, body->data, body->end);
  bytes_release(body);
}

void encode_connect(struct bytes *out, const struct connect_fields *fields) {
  struct bytes body = {0};
  append_string(&body, "MQTT");
  append_u8(&body, (unsigned)fields->protocol);
  append_u8(&body, fields->persistent ? 0 : CLEAN_START);
  append_u16(&body, fields->keep_alive_s);
  if (fields->protocol == PROTOCOL_5) {
    append_length(&body, fields->persistent ? 5 : 0);
    if (fields->persistent) {
      append_u8(&body, SESSION_EXPIRY_INTERVAL);
      append_u16(&body, 0);
      append_u16(&body, SESSION_EXPIRY_S);
    }
  }
  append_string(&body, fields->client_id);
  append_packet(out, CONNECT << 4, &body);
}

void encode_subscribe(struct bytes *out, int protocol, uint16_t packet_id, char (*filters)[128], int count, int qos) {
  struct bytes body = {0};
  append_u16(&body, packet_id);
  if (protocol == PROTOCOL_5) append_u8(&body, 0);
  for (int i = 0; i < count; i++) {
    append_string(&body, filters[i]);
    append_u8(&body, (unsigned)qos);
  }
  append_packet(out, SUBSCRIBE << 4 | FLAGS_FIXED, &body);
}

void encode_acknowledgement(struct bytes *out, enum packet_type type, uint16_t packet_id) {
  uint8_t packet[4] = {(uint8_t)(type << 4 | (type == PUBREL ? FLAGS_FIXED : 0)), 2};
  write_u16(packet + 2, packet_id);
  bytes_append(out, packet, sizeof packet);
}

void encode_empty(struct bytes *out, enum packet_type type) {
  uint8_t packet[2] = {(uint8_t)(type << 4), 0};
  bytes_append(out, packet, sizeof packet);
}

struct publish_frame encode_publish(int protocol, const char *topic, int qos, bool retain, size_t payload_size) {
  struct bytes body = {0}, out = {0};
  append_string(&body, topic);
  size_t packet_id_at = body.end;
  if (qos) append_u16(&body, 0);
  if (protocol == PROTOCOL_5) append_u8(&body, 0);
  size_t payload_at = body.end;
  memset(bytes_reserve(&body, payload_size), 'm', payload_size);
  body.end += payload_size;
  size_t body_size = body.end;
  append_packet(&out, (unsigned)(PUBLISH << 4 | qos << 1 | (retain ? RETAIN : 0)), &body);
  size_t header = out.end - body_size;
  return (struct publish_frame){
      .data = out.data,
      .size = out.end,
      .packet_id_at = qos ? header + packet_id_at : 0,
      .payload_at = header + payload_at,
  };
}

size_t find_packet(const uint8_t *data, size_t size, size_t *body) {
  size_t length;
  if (size < 2) return 0;
  size_t width = read_length(data + 1, size - 1, &length);
  if (!width || size < 1 + width + length) return 0;
  *body = 1 + width;
  return 1 + width + length;
}

size_t find_payload(const uint8_t *body, size_t size, int protocol, uint8_t first_byte, uint16_t *packet_id) {
  size_t at = size >= 2 ? 2u + read_u16(body) : size + 1;
  *packet_id = 0;
  if (first_byte & 0x06 && at + 2 <= size) {
    *packet_id = read_u16(body + at);
    at += 2;
  }
  if (protocol == PROTOCOL_5 && at < size) {
    size_t properties;
    size_t width = read_length(body + at, size - at, &properties);
    at += width + properties;
  }
  if (at > size) fail("the broker sent a malformed PUBLISH");
  return at;
}

// Width in bytes of a CONNACK property's value, -1 when unknown or cut short. [MQTT5 3.2.2.3]
static int width_of_property(uint8_t identifier, const uint8_t *value, size_t size) {
  switch (identifier) {
    case 0x24: case 0x25: case 0x28: case 0x29: case 0x2A: return 1;
    case 0x13: case 0x21: case 0x22: return 2;
    case 0x11: case 0x27: return 4;
    case 0x12: case 0x15: case 0x16: case 0x1A: case 0x1C: case 0x1F: return size >= 2 ? 2 + read_u16(value) : -1;
    case 0x26: {
      if (size < 2 || size < 4u + read_u16(value)) return -1;
      size_t name = 2u + read_u16(value);
      return (int)(name + 2u + read_u16(value + name));
    }
    default: return -1;
  }
}

uint16_t find_receive_maximum(const uint8_t *body, size_t size) {
  size_t length, at = 2;
  if (size <= at) return UINT16_MAX;
  at += read_length(body + at, size - at, &length);
  while (at + 1 < size) {
    uint8_t identifier = body[at++];
    if (identifier == RECEIVE_MAXIMUM && at + 2 <= size) return read_u16(body + at);
    int width = width_of_property(identifier, body + at, size - at);
    if (width < 0) fail("the broker sent an unknown CONNACK property 0x%02x", identifier);
    at += (size_t)width;
  }
  return UINT16_MAX;
}
