/* The lines of line-coding.ts in C: a verb and name=value pairs, percent-encoded. One thread reads, any thread says. */
#ifndef WORDS_H
#define WORDS_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64

struct words {
  char *verb;
  int count;
  char *names[FIELDS_MAX];
  char *values[FIELDS_MAX];
};

static pthread_mutex_t speaking = PTHREAD_MUTEX_INITIALIZER;

static int hex_digit(char digit) {
  return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

static void percent_decode(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; to++) {
    if (*from == '%') {
      *to = (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]));
      from += 3;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
}

/* Takes the line apart where it stands; the words point into it. */
static struct words words_of(char *line) {
  struct words words = {0};
  char *rest = NULL;
  line[strcspn(line, "\n")] = '\0';
  words.verb = strtok_r(line, " ", &rest);
  for (char *part; (part = strtok_r(NULL, " ", &rest)) != NULL && words.count < FIELDS_MAX; words.count++) {
    char *equals = strchr(part, '=');
    *equals = '\0';
    words.names[words.count] = part;
    words.values[words.count] = equals + 1;
    percent_decode(equals + 1);
  }
  return words;
}

static const char *value_of(const struct words *words, const char *name) {
  for (int at = 0; at < words->count; at++)
    if (strcmp(words->names[at], name) == 0) return words->values[at];
  return NULL;
}

static int number_of(const struct words *words, const char *name, int otherwise) {
  const char *value = value_of(words, name);
  return value == NULL ? otherwise : atoi(value);
}

/* Bytes of a hexadecimal text; the caller frees them. */
static unsigned char *bytes_of(const char *hex, int *length) {
  *length = (int)strlen(hex) / 2;
  unsigned char *bytes = malloc((size_t)*length + 1);
  for (int at = 0; at < *length; at++) bytes[at] = (unsigned char)(hex_digit(hex[2 * at]) << 4 | hex_digit(hex[2 * at + 1]));
  return bytes;
}

static void say_begin(const char *verb) {
  pthread_mutex_lock(&speaking);
  fputs(verb, stdout);
}

static void say_text(const char *name, const char *text, int length) {
  printf(" %s=", name);
  for (int at = 0; at < length; at++) printf("%%%02x", (unsigned char)text[at]);
}

static void say_number(const char *name, int number) {
  printf(" %s=%d", name, number);
}

static void say_hex(const char *name, const void *bytes, int length) {
  static const char digits[] = "0123456789abcdef";
  printf(" %s=", name);
  for (const unsigned char *at = bytes; at < (const unsigned char *)bytes + length; at++) {
    putchar_unlocked(digits[*at >> 4]);
    putchar_unlocked(digits[*at & 15]);
  }
}

static void say_end(void) {
  putchar('\n');
  fflush(stdout);
  pthread_mutex_unlock(&speaking);
}

#endif
