// A machine in trouble, for a program that is started with this library in LD_PRELOAD: its clock is wrong, and the disk
// below one folder is full or read-only. harness.py builds it, and says what is wrong in a file that both have mapped.
//
// MACHINE names that file, MACHINE_DISK the folder. The clock is the one that can be set; the monotonic one goes on, as
// it does when an operator sets a real clock.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { WELL, FULL, READ_ONLY };

struct trouble {
    int64_t taken;   // how many programs have looked here
    int64_t seconds; // what the clock is wrong by
    int64_t disk;
};

static volatile struct trouble *trouble;
static const char *folder;

__attribute__((constructor)) static void start(void) {
    const char *file = getenv("MACHINE");
    folder = getenv("MACHINE_DISK");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *mapped = mmap(NULL, sizeof *trouble, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED) return;
    trouble = mapped;
    __sync_fetch_and_add(&trouble->taken, 1);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// The clock.

static int64_t wrong_by(void) { return trouble ? trouble->seconds : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static __typeof__(&clock_gettime) real;
    if (!real) real = REAL(clock_gettime);
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += wrong_by();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (kept) *kept = now.tv_sec;
    return now.tv_sec;
}

// The disk.

static int is_below(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int is_open_below(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return is_below(path);
}

static int disk(void) { return trouble ? (int)trouble->disk : WELL; }

static int error_of(int state) { return state == FULL ? ENOSPC : EROFS; }

static int is_there(const char *path) { return faccessat(AT_FDCWD, path, F_OK, 0) == 0; }

// Why bytes may not be added to or changed in an open file; 0 where they may.
static int why_not_written(int fd) {
    int state = disk();
    return state != WELL && is_open_below(fd) ? error_of(state) : 0;
}

// Why the folder may not be changed at `path`; 0 where it may. On a full disk things can still be removed.
static int why_not_changed(const char *path, int takes_room) {
    int state = disk();
    return (state == READ_ONLY || (state == FULL && takes_room)) && is_below(path) ? error_of(state) : 0;
}

static int why_not_opened(const char *path, int flags) {
    int state = disk();
    if (state == WELL || !is_below(path)) return 0;
    if ((flags & O_CREAT) && !is_there(path)) return error_of(state);
    if ((flags & O_CREAT) && (flags & O_EXCL)) return 0; // it is there already
    return state == READ_ONLY && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC)) ? EROFS : 0;
}

#define FAIL_IF(why)                                                                                                   \
    do {                                                                                                               \
        int error = (why);                                                                                             \
        if (error) {                                                                                                   \
            errno = error;                                                                                             \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                                    \
        va_end(rest);                                                                                                  \
        FAIL_IF(why_not_opened(path, flags));                                                                          \
        return REAL(name)(path, flags, mode);                                                                          \
    }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                                                                  \
    int name(int folder_fd, const char *path, int flags, ...) {                                                        \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                                    \
        va_end(rest);                                                                                                  \
        FAIL_IF(why_not_opened(path, flags));                                                                          \
        return REAL(name)(folder_fd, path, flags, mode);                                                               \
    }
OPEN_AT(openat)
OPEN_AT(openat64)

#define ON_FD(type, name, parameters, arguments)                                                                       \
    type name parameters {                                                                                             \
        FAIL_IF(why_not_written(fd));                                                                                  \
        return REAL(name) arguments;                                                                                   \
    }
ON_FD(ssize_t, write, (int fd, const void *bytes, size_t count), (fd, bytes, count))
ON_FD(ssize_t, pwrite, (int fd, const void *bytes, size_t count, off_t at), (fd, bytes, count, at))
ON_FD(ssize_t, pwrite64, (int fd, const void *bytes, size_t count, off64_t at), (fd, bytes, count, at))
ON_FD(ssize_t, writev, (int fd, const struct iovec *pieces, int count), (fd, pieces, count))
ON_FD(int, fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
ON_FD(int, fchmod, (int fd, mode_t mode), (fd, mode))

// A length needs no disk space.
#define TRUNCATE(name, type)                                                                                           \
    int name(int fd, type length) {                                                                                    \
        FAIL_IF(disk() == READ_ONLY ? why_not_written(fd) : 0);                                                        \
        return REAL(name)(fd, length);                                                                                 \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int posix_fallocate(int fd, off_t at, off_t length) {
    int why = why_not_written(fd);
    return why ? why : REAL(posix_fallocate)(fd, at, length);
}

#define ON_PATH(name, takes_room, parameters, arguments)                                                               \
    int name parameters {                                                                                              \
        FAIL_IF(why_not_changed(path, takes_room));                                                                    \
        return REAL(name) arguments;                                                                                   \
    }
ON_PATH(unlink, 0, (const char *path), (path))
ON_PATH(rmdir, 0, (const char *path), (path))
ON_PATH(chmod, 0, (const char *path, mode_t mode), (path, mode))
ON_PATH(rename, 0, (const char *path, const char *to), (path, to))
ON_PATH(link, 1, (const char *path, const char *to), (path, to))

int mkdir(const char *path, mode_t mode) {
    FAIL_IF(is_there(path) ? EEXIST : why_not_changed(path, 1));
    return REAL(mkdir)(path, mode);
}

int access(const char *path, int how) {
    if (how & W_OK) FAIL_IF(disk() == READ_ONLY && is_below(path) ? EROFS : 0);
    return REAL(access)(path, how);
}

// A socket with a name is a file.
int bind(int fd, const struct sockaddr *address, socklen_t length) {
    if (address->sa_family == AF_UNIX) FAIL_IF(why_not_changed(((const struct sockaddr_un *)address)->sun_path, 1));
    return REAL(bind)(fd, address, length);
}
