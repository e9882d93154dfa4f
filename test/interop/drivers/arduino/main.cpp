/* What the Arduino IDE makes of a sketch: its text after the core's header, and a main that calls its two functions. */
#include "Arduino.h"
#include SKETCH

int main() {
  setup();
  for (int turn = 0; turn < 10; turn++) loop();
  return 1;
}
