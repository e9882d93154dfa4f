// How the generator gives up: one line on standard error, exit code 1.
#pragma once
#include <stddef.h>

__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

// Allocates zeroed memory or gives up.
void *allocate(size_t count, size_t size);
