/* What WiFiClientSecure takes: PEM, which it does not copy. */
#pragma once
#include "Arduino.h"

struct Client {};

struct WiFiClientSecure : Client {
  void setCACert(const char *pem) { tell("ca", pem); }
  void setCertificate(const char *pem) { tell("cert", pem); }
  void setPrivateKey(const char *pem) { tell("key", pem); }
};
