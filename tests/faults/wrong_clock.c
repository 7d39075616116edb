/* A wrong time of day for one process, by LD_PRELOAD; monotonic time stays right.
 *
 * WRONG_CLOCK names a file that holds the seconds to add. librdkafka keeps the right time: it waits
 * until moments of the day, and the kernel, which ends those waits, goes by the right clock. (That
 * is where libfaketime 0.9.10 hangs.) Of its own time nothing is kept: the broker stamps the records.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void *caller) {
    Dl_info info;
    if (dladdr(caller, &info) && strstr(info.dli_fname, "librdkafka")) return 0;
    char text[32] = {0};
    int file = open(getenv("WRONG_CLOCK"), O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text - 1) < 0) abort();
    close(file);
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += ahead(__builtin_return_address(0));
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = syscall(SYS_gettimeofday, now, zone);
    if (result == 0) now->tv_sec += ahead(__builtin_return_address(0));
    return result;
}

time_t time(time_t *now) {
    struct timespec precise;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &precise);
    time_t seconds = precise.tv_sec + ahead(__builtin_return_address(0));
    if (now) *now = seconds;
    return seconds;
}
