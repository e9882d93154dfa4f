#include "identity.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

// One system call per record header and one per record body would make the generator the bottleneck.
#define TLS_READ_AHEAD_BYTES 65536

__attribute__((noreturn)) static void fail_tls(const char *what, const char *name) {
  fail("%s: %s: %s", what, name, ERR_error_string(ERR_get_error(), NULL));
}

static void load_certificates(struct identity *identity, const char *path) {
  BIO *file = BIO_new_file(path, "r");
  if (!file) fail_tls("cannot read", path);
  identity->certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
  if (!identity->certificate) fail_tls("no certificate in", path);
  identity->chain = sk_X509_new_null();
  for (X509 *next; (next = PEM_read_bio_X509(file, NULL, NULL, NULL));) sk_X509_push(identity->chain, next);
  ERR_clear_error();
  BIO_free(file);
}

static void load_key(struct identity *identity, const char *path) {
  BIO *file = BIO_new_file(path, "r");
  if (!file) fail_tls("cannot read", path);
  identity->key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
  if (!identity->key) fail_tls("no private key in", path);
  BIO_free(file);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct identity *)a)->name, ((const struct identity *)b)->name);
}

// A certificate without a key beside it (ca.crt) is no identity.
static int list_directory(const char *path, struct identity **list) {
  DIR *directory = opendir(path);
  if (!directory) fail("cannot read %s", path);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory));) {
    size_t length = strlen(entry->d_name);
    if (length < 5 || length > 100 || strcmp(entry->d_name + length - 4, ".crt")) continue;
    char name[128], certificate[512], key[512];
    snprintf(name, sizeof name, "%.*s", (int)(length - 4), entry->d_name);
    snprintf(certificate, sizeof certificate, "%s/%s.crt", path, name);
    snprintf(key, sizeof key, "%s/%s.key", path, name);
    FILE *probe = fopen(key, "r");
    if (!probe) continue;
    fclose(probe);
    *list = realloc(*list, (size_t)(count + 1) * sizeof **list);
    if (!*list) fail("out of memory");
    struct identity *identity = &(*list)[count++];
    *identity = (struct identity){0};
    memcpy(identity->name, name, sizeof identity->name);
    load_certificates(identity, certificate);
    load_key(identity, key);
  }
  closedir(directory);
  if (!count) fail("no NAME.crt with its NAME.key in %s", path);
  qsort(*list, (size_t)count, sizeof **list, by_name);
  return count;
}

// With TLS 1.3 the ticket arrives after the handshake, so it is taken when it comes.
static int keep_session(SSL *ssl, SSL_SESSION *session) {
  SSL_SESSION **store = SSL_get_app_data(ssl);
  if (!store) return 0;
  if (*store) SSL_SESSION_free(*store);
  *store = session;
  return 1;
}

static SSL_CTX *create_context(const struct options *options) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (!context || SSL_CTX_load_verify_locations(context, options->ca, NULL) != 1) fail_tls("cannot use", options->ca);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, TLS_READ_AHEAD_BYTES);
  if (options->resume) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
  }
  if (options->tls_version) {
    int version = strcmp(options->tls_version, "1.2") ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
  }
  char address[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &options->address.sin_addr, address, sizeof address);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context), address);
  return context;
}

struct identities load_identities(const struct options *options) {
  struct identities identities = {0};
  if (options->ca) identities.context = create_context(options);
  if (options->cert_dir) {
    identities.count = list_directory(options->cert_dir, &identities.list);
    return identities;
  }
  identities.list = allocate(1, sizeof *identities.list);
  identities.count = 1;
  snprintf(identities.list->name, sizeof identities.list->name, "%s", options->name);
  if (options->cert) {
    load_certificates(identities.list, options->cert);
    load_key(identities.list, options->key);
  }
  return identities;
}

SSL *open_tls(const struct identities *identities, const struct identity *identity, int fd, SSL_SESSION **store) {
  SSL *ssl = SSL_new(identities->context);
  if (!ssl || !SSL_set_fd(ssl, fd)) fail_tls("cannot start", "TLS");
  if (identity->certificate &&
      (SSL_use_certificate(ssl, identity->certificate) != 1 || SSL_use_PrivateKey(ssl, identity->key) != 1 ||
       SSL_set1_chain(ssl, identity->chain) != 1))
    fail_tls("cannot use the certificate of", identity->name);
  SSL_set_app_data(ssl, store);
  if (*store) SSL_set_session(ssl, *store);
  SSL_set_connect_state(ssl);
  return ssl;
}
