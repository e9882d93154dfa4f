/* As much of the Arduino core for ESP32 as the sketch of a bundle calls; `loop` runs until the sketch has published. */
#pragma once
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

struct SerialPort {
  void begin(unsigned long) {}
  void printf(const char *format, ...) {
    va_list values;
    va_start(values, format);
    std::vprintf(format, values);
    va_end(values);
  }
};
static SerialPort Serial;

inline void delay(uint32_t) {}
inline long random(long) { return 0; }

inline void tell(const char *what, const char *text) {
  std::printf("%s=", what);
  for (; *text != 0; text++) std::printf("%02x", (unsigned char)*text);
  std::printf("\n");
}
