/* What PubSubClient 2.8 takes; the first attempt to connect fails, as one may. */
#pragma once
#include "WiFiClientSecure.h"

struct PubSubClient {
  typedef void (*Callback)(char *, uint8_t *, unsigned int);
  Callback callback = nullptr;
  int attempts = 0;
  bool up = false;
  explicit PubSubClient(Client &) {}
  PubSubClient &setServer(const char *host, uint16_t port) {
    char digits[8];
    std::snprintf(digits, sizeof digits, "%u", port);
    tell("host", host);
    tell("port", digits);
    return *this;
  }
  PubSubClient &setCallback(Callback given) {
    callback = given;
    return *this;
  }
  bool setBufferSize(uint16_t) { return true; }
  bool connected() { return up; }
  bool connect(const char *id) {
    if (++attempts > 1) up = true;
    if (up) tell("id", id);
    return up;
  }
  bool subscribe(const char *filter, uint8_t) {
    tell("filter", filter);
    return true;
  }
  bool publish(const char *topic, const char *payload) {
    tell("topic", topic);
    tell("payload", payload);
    return true;
  }
  int state() { return -2; }
  bool loop() {
    char topic[] = "down";
    uint8_t payload[] = {'o', 'n', '!'};
    callback(topic, payload, 2);
    std::exit(0);
  }
};
