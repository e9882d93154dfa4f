// Who the clients are: certificates and keys, loaded once, and the TLS context they share.
#pragma once
#include <openssl/ssl.h>

#include "options.h"

struct identity {
  char name[128];
  X509 *certificate;
  STACK_OF(X509) *chain;
  EVP_PKEY *key;
};

struct identities {
  SSL_CTX *context;  // NULL without TLS
  struct identity *list;
  int count;  // at least 1; certificates may be missing
};

struct identities load_identities(const struct options *options);

// A TLS client connection on `fd`. With --resume `*store` is offered for resumption unless it is NULL; a session the
// broker gives later replaces it.
SSL *open_tls(const struct identities *identities, const struct identity *identity, int fd, SSL_SESSION **store);
