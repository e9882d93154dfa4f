#include "transport.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "failure.h"

void transport_give_up(const struct transport *transport, const char *what) {
  unsigned long code = ERR_get_error();
  fail("%s: %s%s%s", transport->label, what, code ? ": " : "", code ? ERR_error_string(code, NULL) : "");
}

static void watch(struct transport *transport, int operation, bool writes) {
  struct epoll_event event = {.events = EPOLLIN | (writes ? EPOLLOUT : 0), .data.ptr = transport->poll_data};
  if (epoll_ctl(transport->poll_fd, operation, transport->fd, &event)) transport_give_up(transport, strerror(errno));
  transport->polls_writes = writes;
}

static void watch_writes(struct transport *transport, bool writes) {
  if (transport->polls_writes != writes) watch(transport, EPOLL_CTL_MOD, writes);
}

void transport_open(struct transport *transport, const struct sockaddr_in *address) {
  transport->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (transport->fd < 0) transport_give_up(transport, strerror(errno));
  int on = 1;
  setsockopt(transport->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(transport->fd, (const struct sockaddr *)address, sizeof *address) && errno != EINPROGRESS)
    transport_give_up(transport, strerror(errno));
  transport->phase = TRANSPORT_OPENING;
  watch(transport, EPOLL_CTL_ADD, true);
}

static void check_connected(struct transport *transport) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(transport->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) transport_give_up(transport, strerror(error));
}

static bool secure(struct transport *transport) {
  int result = SSL_do_handshake(transport->ssl);
  if (result != 1) {
    int error = SSL_get_error(transport->ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      transport_give_up(transport, "the TLS handshake failed");
    watch_writes(transport, error == SSL_ERROR_WANT_WRITE);
    return false;
  }
  transport->resumed = SSL_session_reused(transport->ssl);
  transport->phase = TRANSPORT_OPEN;
  watch_writes(transport, false);
  return true;
}

bool transport_advance(struct transport *transport) {
  if (transport->phase == TRANSPORT_SECURING) return secure(transport);
  check_connected(transport);
  watch_writes(transport, false);
  if (!transport->identities->context) {
    transport->phase = TRANSPORT_OPEN;
    return true;
  }
  transport->ssl = open_tls(transport->identities, transport->identity, transport->fd, &transport->session);
  transport->phase = TRANSPORT_SECURING;
  return secure(transport);
}

// Bytes written, 0 when the socket takes none now.
static size_t write_some(struct transport *transport, const uint8_t *data, size_t size) {
  if (transport->ssl) {
    int result = SSL_write(transport->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size);
    if (result > 0) return (size_t)result;
    int error = SSL_get_error(transport->ssl, result);
    if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) return 0;
    transport_give_up(transport, "TLS write failed");
  }
  ssize_t result = send(transport->fd, data, size, MSG_NOSIGNAL);
  if (result >= 0) return (size_t)result;
  if (errno != EAGAIN) transport_give_up(transport, strerror(errno));
  return 0;
}

void transport_flush(struct transport *transport) {
  struct bytes *out = &transport->out;
  if (out->start == out->end) return;
  while (out->start < out->end) {
    size_t written = write_some(transport, out->data + out->start, out->end - out->start);
    if (!written) break;
    out->start += written;
  }
  transport->wrote_at_ns = now_ns();
  watch_writes(transport, out->start < out->end);
}

size_t transport_read(struct transport *transport, uint8_t *data, size_t size) {
  if (transport->ssl) {
    int result = SSL_read(transport->ssl, data, (int)size);
    if (result > 0) return (size_t)result;
    int error = SSL_get_error(transport->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
    bool closed = error == SSL_ERROR_ZERO_RETURN;
    transport_give_up(transport, closed ? "the broker closed the connection" : "TLS read failed");
  }
  ssize_t result = recv(transport->fd, data, size, 0);
  if (result > 0) return (size_t)result;
  if (result < 0 && errno == EAGAIN) return 0;
  transport_give_up(transport, result ? strerror(errno) : "the broker closed the connection");
}

void transport_close(struct transport *transport) {
  if (transport->ssl) {
    SSL_shutdown(transport->ssl);
    SSL_free(transport->ssl);
    transport->ssl = NULL;
    ERR_clear_error();
  }
  close(transport->fd);
  bytes_release(&transport->out);
  transport->phase = TRANSPORT_CLOSED;
}
