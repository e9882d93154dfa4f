/* Paho for C (MQTTAsync, with TLS), told what to do by lines on standard input; what happens is told on standard output. */
#include <MQTTAsync.h>

#include "words.h"

static MQTTAsync client;
static int version;
static int is_up;
static int end_code = -1;

/* --- properties ------------------------------------------------------------------------------------------------- */

static void add_number(MQTTProperties *properties, enum MQTTPropertyCodes code, const struct words *words, const char *name) {
  if (value_of(words, name) == NULL) return;
  MQTTProperty property = {.identifier = code};
  int number = number_of(words, name, 0);
  if (MQTTProperty_getType(code) == MQTTPROPERTY_TYPE_BYTE) property.value.byte = (unsigned char)number;
  else if (MQTTProperty_getType(code) == MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER) property.value.integer2 = (unsigned short)number;
  else property.value.integer4 = (unsigned int)number;
  MQTTProperties_add(properties, &property);
}

static void add_text(MQTTProperties *properties, enum MQTTPropertyCodes code, const char *text) {
  if (text == NULL) return;
  MQTTProperty property = {.identifier = code};
  property.value.data.data = (char *)text;
  property.value.data.len = (int)strlen(text);
  MQTTProperties_add(properties, &property);
}

static void add_hex(MQTTProperties *properties, enum MQTTPropertyCodes code, const char *hex) {
  if (hex == NULL) return;
  MQTTProperty property = {.identifier = code};
  int length = 0;
  property.value.data.data = bytes_of(hex, &length);
  property.value.data.len = length;
  MQTTProperties_add(properties, &property);
}

static void add_users(MQTTProperties *properties, const struct words *words, const char *name) {
  for (int at = 0; at < words->count; at++) {
    if (strcmp(words->names[at], name) != 0) continue;
    char *pair = words->values[at], *equals = strchr(pair, '=');
    MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
    property.value.data.data = pair;
    property.value.data.len = (int)(equals - pair);
    property.value.value.data = equals + 1;
    property.value.value.len = (int)strlen(equals + 1);
    MQTTProperties_add(properties, &property);
  }
}

static void say_properties(const MQTTProperties *properties) {
  for (int at = 0; at < properties->count; at++) {
    const MQTTProperty *one = &properties->array[at];
    switch (one->identifier) {
      case MQTTPROPERTY_CODE_USER_PROPERTY:
        say_text("user", one->value.data.data, one->value.data.len);
        fputs("%3d", stdout);
        for (int byte = 0; byte < one->value.value.len; byte++) printf("%%%02x", (unsigned char)one->value.value.data[byte]);
        break;
      case MQTTPROPERTY_CODE_RESPONSE_TOPIC: say_text("responseTopic", one->value.data.data, one->value.data.len); break;
      case MQTTPROPERTY_CODE_CONTENT_TYPE: say_text("contentType", one->value.data.data, one->value.data.len); break;
      case MQTTPROPERTY_CODE_CORRELATION_DATA: say_hex("correlation", one->value.data.data, one->value.data.len); break;
      case MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR: say_number("payloadFormat", one->value.byte); break;
      case MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL: say_number("messageExpiry", (int)one->value.integer4); break;
      case MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER: say_number("identifier", (int)one->value.integer4); break;
      case MQTTPROPERTY_CODE_TOPIC_ALIAS: say_number("topicAlias", one->value.integer2); break;
      default: break;
    }
  }
}

/* --- what happens; the context of each call is the verb of its answer ------------------------------------------- */

static void say_code(const char *verb, int code) {
  say_begin(verb);
  if (code >= 0) say_number("code", code);
  say_end();
}

static void on_success(void *verb, MQTTAsync_successData *data) {
  say_code(verb, strcmp(verb, "granted") == 0 ? data->alt.qos : 0);
}

static void on_success5(void *verb, MQTTAsync_successData5 *data) {
  say_code(verb, data->reasonCode);
}

static void on_failure(void *verb, MQTTAsync_failureData *data) {
  say_code(verb, data->code);
}

static void on_failure5(void *verb, MQTTAsync_failureData5 *data) {
  say_code(verb, data->reasonCode);
}

static void say_connected(int present, const MQTTProperties *properties) {
  is_up = 1;
  say_begin("connected");
  say_number("present", present);
  for (int at = 0; properties != NULL && at < properties->count; at++) {
    const MQTTProperty *one = &properties->array[at];
    if (one->identifier == MQTTPROPERTY_CODE_ASSIGNED_CLIENT_IDENTIFER) say_text("assigned", one->value.data.data, one->value.data.len);
  }
  say_end();
}

static void on_connect(void *context, MQTTAsync_successData *data) {
  (void)context;
  say_connected(data->alt.connect.sessionPresent, NULL);
}

static void on_connect5(void *context, MQTTAsync_successData5 *data) {
  (void)context;
  say_connected(data->alt.connect.sessionPresent, &data->properties);
}

/* A code below zero is the library's own: the connection did not come about, or ended before CONNACK. */
static void say_not_connected(int code, const char *why) {
  if (code > 0) {
    say_code("refused", code);
    return;
  }
  say_begin("failed");
  if (why != NULL) say_text("why", why, (int)strlen(why));
  say_end();
}

static void on_connect_failure(void *context, MQTTAsync_failureData *data) {
  (void)context;
  say_not_connected(data->code, data->message);
}

static void on_connect_failure5(void *context, MQTTAsync_failureData5 *data) {
  (void)context;
  say_not_connected(data->reasonCode > 0 ? (int)data->reasonCode : data->code, data->message);
}

static void on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes code) {
  (void)context;
  (void)properties;
  end_code = code;
  if (is_up) say_code("closed", end_code);
  is_up = 0;
}

static void on_connection_lost(void *context, char *cause) {
  (void)context;
  (void)cause;
  if (is_up) say_code("closed", end_code);
  is_up = 0;
}

static int on_message(void *context, char *topic, int length, MQTTAsync_message *message) {
  (void)context;
  say_begin("message");
  say_text("topic", topic, length > 0 ? length : (int)strlen(topic));
  say_hex("payload", message->payload, message->payloadlen);
  say_number("qos", message->qos);
  say_number("retain", message->retained);
  say_properties(&message->properties);
  say_end();
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  return 1;
}

/* --- what it is told to do -------------------------------------------------------------------------------------- */

static void complain(const char *what, int code) {
  if (code != MQTTASYNC_SUCCESS) fprintf(stderr, "%s: %d %s\n", what, code, MQTTAsync_strerror(code));
}

static MQTTAsync_responseOptions answer(const char *verb) {
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.context = (void *)verb;
  if (version == MQTTVERSION_5) {
    options.onSuccess5 = on_success5;
    options.onFailure5 = on_failure5;
  } else {
    options.onSuccess = on_success;
    options.onFailure = on_failure;
  }
  return options;
}

static MQTTAsync_connectOptions connect_options(int is_web) {
  MQTTAsync_connectOptions plain = MQTTAsync_connectOptions_initializer, web = MQTTAsync_connectOptions_initializer_ws;
  MQTTAsync_connectOptions plain5 = MQTTAsync_connectOptions_initializer5, web5 = MQTTAsync_connectOptions_initializer5_ws;
  if (version == MQTTVERSION_5) return is_web ? web5 : plain5;
  return is_web ? web : plain;
}

/* The library asks for the key while it shakes hands: identity and key are kept for that. */
static char psk_identity[64];
static unsigned char psk_key[64];
static unsigned int psk_length;

static unsigned int give_psk(const char *hint, char *identity, unsigned int identity_max, unsigned char *key, unsigned int key_max, void *context) {
  (void)hint;
  (void)context;
  if (strlen(psk_identity) >= identity_max || psk_length > key_max) return 0;
  strcpy(identity, psk_identity);
  memcpy(key, psk_key, psk_length);
  return psk_length;
}

static void keep_psk(const char *identity, const char *hex) {
  int length = 0;
  void *bytes = bytes_of(hex, &length);
  snprintf(psk_identity, sizeof psk_identity, "%s", identity);
  psk_length = length > (int)sizeof psk_key ? 0 : (unsigned int)length;
  memcpy(psk_key, bytes, psk_length);
}

static void connect_client(const struct words *words) {
  const char *transport = value_of(words, "transport"), *text = value_of(words, "version");
  int is_web = strcmp(transport, "wss") == 0 || strcmp(transport, "ws") == 0;
  int is_clean = number_of(words, "clean", 1);
  version = strcmp(text, "5.0") == 0 ? MQTTVERSION_5 : strcmp(text, "3.1") == 0 ? MQTTVERSION_3_1 : MQTTVERSION_3_1_1;

  char uri[256];
  snprintf(uri, sizeof uri, "%s://%s:%s%s", strcmp(transport, "tls") == 0 ? "ssl" : transport, value_of(words, "host"),
           value_of(words, "port"), is_web ? value_of(words, "path") : "");
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
  create.MQTTVersion = version;
  complain("create", MQTTAsync_createWithOptions(&client, uri, value_of(words, "clientId"), MQTTCLIENT_PERSISTENCE_NONE, NULL, &create));
  complain("callbacks", MQTTAsync_setCallbacks(client, NULL, on_connection_lost, on_message, NULL));
  complain("disconnected", MQTTAsync_setDisconnected(client, NULL, on_disconnected));

  MQTTAsync_connectOptions options = connect_options(is_web);
  options.keepAliveInterval = 60;
  if (version == MQTTVERSION_5) {
    options.cleanstart = is_clean;
    options.onSuccess5 = on_connect5;
    options.onFailure5 = on_connect_failure5;
  } else {
    options.MQTTVersion = version;
    options.cleansession = is_clean;
    options.onSuccess = on_connect;
    options.onFailure = on_connect_failure;
  }

  MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
  if (strcmp(transport, "tls") == 0 || strcmp(transport, "wss") == 0) {
    ssl.trustStore = value_of(words, "ca");
    ssl.keyStore = value_of(words, "cert");
    ssl.privateKey = value_of(words, "key");
    ssl.disableDefaultTrustStore = 1;
    if (value_of(words, "psk") != NULL) {
      keep_psk(value_of(words, "pskIdentity"), value_of(words, "psk"));
      ssl.ssl_psk_cb = give_psk;
    } else {
      ssl.enableServerCertAuth = 1;
      ssl.verify = 1;
    }
    options.ssl = &ssl;
  }

  options.username = value_of(words, "userName");
  options.password = value_of(words, "password");

  MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
  MQTTProperties will_properties = MQTTProperties_initializer, properties = MQTTProperties_initializer;
  if (value_of(words, "willTopic") != NULL) {
    will.topicName = value_of(words, "willTopic");
    will.payload.data = bytes_of(value_of(words, "willPayload"), &will.payload.len);
    will.qos = number_of(words, "willQos", 0);
    will.retained = number_of(words, "willRetain", 0);
    options.will = &will;
  }
  if (version == MQTTVERSION_5) {
    add_users(&will_properties, words, "willUser");
    add_number(&properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, words, "sessionExpiry");
    add_number(&properties, MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM, words, "topicAliasMaximum");
    add_text(&properties, MQTTPROPERTY_CODE_AUTHENTICATION_METHOD, value_of(words, "authenticationMethod"));
    add_hex(&properties, MQTTPROPERTY_CODE_AUTHENTICATION_DATA, value_of(words, "authenticationData"));
    options.connectProperties = &properties;
    if (options.will != NULL) options.willProperties = &will_properties;
  }
  complain("connect", MQTTAsync_connect(client, &options));
}

static void subscribe(const struct words *words) {
  MQTTAsync_responseOptions options = answer("granted");
  if (version == MQTTVERSION_5) {
    options.subscribeOptions.noLocal = (unsigned char)number_of(words, "noLocal", 0);
    options.subscribeOptions.retainAsPublished = (unsigned char)number_of(words, "retainAsPublished", 0);
    options.subscribeOptions.retainHandling = (unsigned char)number_of(words, "retainHandling", 0);
    add_number(&options.properties, MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, words, "identifier");
  }
  complain("subscribe", MQTTAsync_subscribe(client, value_of(words, "filter"), number_of(words, "qos", 0), &options));
}

static void unsubscribe(const struct words *words) {
  MQTTAsync_responseOptions options = answer("unsubscribed");
  complain("unsubscribe", MQTTAsync_unsubscribe(client, value_of(words, "filter"), &options));
}

static void publish(const struct words *words) {
  MQTTAsync_responseOptions options = answer("published");
  MQTTAsync_message message = MQTTAsync_message_initializer;
  unsigned char *payload = bytes_of(value_of(words, "payload"), &message.payloadlen);
  message.payload = payload;
  message.qos = number_of(words, "qos", 0);
  message.retained = number_of(words, "retain", 0);
  if (version == MQTTVERSION_5) {
    MQTTProperties *properties = &message.properties;
    add_number(properties, MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR, words, "payloadFormat");
    add_number(properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, words, "messageExpiry");
    add_number(properties, MQTTPROPERTY_CODE_TOPIC_ALIAS, words, "topicAlias");
    add_text(properties, MQTTPROPERTY_CODE_CONTENT_TYPE, value_of(words, "contentType"));
    add_text(properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC, value_of(words, "responseTopic"));
    add_hex(properties, MQTTPROPERTY_CODE_CORRELATION_DATA, value_of(words, "correlation"));
    add_users(properties, words, "user");
  }
  complain("publish", MQTTAsync_sendMessage(client, value_of(words, "topic"), &message, &options));
  MQTTProperties_free(&message.properties);
  free(payload);
}

static void disconnect(void) {
  MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
  is_up = 0;
  options.context = "closed";
  options.timeout = 5000;
  if (version == MQTTVERSION_5) options.onSuccess5 = on_success5;
  else options.onSuccess = on_success;
  complain("disconnect", MQTTAsync_disconnect(client, &options));
}

int main(void) {
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    struct words words = words_of(line);
    if (strcmp(words.verb, "connect") == 0) connect_client(&words);
    else if (strcmp(words.verb, "subscribe") == 0) subscribe(&words);
    else if (strcmp(words.verb, "unsubscribe") == 0) unsubscribe(&words);
    else if (strcmp(words.verb, "publish") == 0) publish(&words);
    else if (strcmp(words.verb, "disconnect") == 0) disconnect();
  }
  return 0;
}
