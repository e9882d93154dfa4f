#include "process.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "failure.h"

static size_t read_proc(pid_t pid, const char *file, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  FILE *stream = fopen(path, "r");
  size_t length = stream ? fread(text, 1, size - 1, stream) : 0;
  if (stream) fclose(stream);
  text[length] = 0;
  return length;
}

// proc(5), stat: utime and stime are fields 14 and 15, of all threads, in clock ticks. Field 2 may contain blanks.
static double cpu_from_stat(pid_t pid) {
  char text[1024];
  unsigned long user, system;
  read_proc(pid, "stat", text, sizeof text);
  const char *rest = strrchr(text, ')');
  if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    fail("process %d is gone", pid);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

// The same sum as in /proc/PID/stat, but in nanoseconds: a tick of 10 ms is coarse for a short run at a low rate.
static double cpu_of(pid_t pid) {
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return cpu_from_stat(pid);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t rss_of(pid_t pid) {
  char text[256];
  unsigned long pages = 0;
  read_proc(pid, "statm", text, sizeof text);
  sscanf(text, "%*u %lu", &pages);
  return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

// Needs the same user or root; 0 otherwise.
static uint64_t written_of(pid_t pid) {
  char text[512];
  unsigned long long bytes = 0;
  read_proc(pid, "io", text, sizeof text);
  const char *line = strstr(text, "\nwrite_bytes:");
  if (line) sscanf(line, "\nwrite_bytes: %llu", &bytes);
  return bytes;
}

// proc(5), /proc/stat: user nice system idle iowait irq softirq steal, in clock ticks. Stolen time is not ours either.
static double machine_cpu(void) {
  unsigned long long user, nice, system, irq, softirq, steal;
  FILE *stream = fopen("/proc/stat", "r");
  int fields = 0;
  if (stream)
    fields = fscanf(stream, "cpu %llu %llu %llu %*u %*u %llu %llu %llu", &user, &nice, &system, &irq, &softirq, &steal);
  if (stream) fclose(stream);
  if (fields != 6) return 0;
  return (double)(user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK);
}

static double of_timeval(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

struct cost measure_cost(const struct options *options) {
  struct cost cost = {.at_ns = now_ns(), .machine_cpu_s = machine_cpu()};
  for (int i = 0; i < options->pid_count; i++) {
    cost.broker_cpu_s += cpu_of(options->pids[i]);
    cost.rss_bytes += rss_of(options->pids[i]);
    cost.written_bytes += written_of(options->pids[i]);
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  cost.self_cpu_s = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
  return cost;
}
