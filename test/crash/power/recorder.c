/*
 * Records what a process writes and syncs below one folder, and what it sends to those who connect to it, in the order in which that happens.
 * Put before the C library by LD_PRELOAD: docs/decisions/0051-power-loss-simulated.md.
 *
 *   RECORDER_ROOT   the folder, as an absolute path without symbolic links
 *   RECORDER_FILE   where the records go; it lies elsewhere
 *   RECORDER_KILL   kills the process once it has made so many records; 0: never
 *
 * A record is a head of 40 bytes and `length` bytes of data, little-endian:
 *
 *   0  u32 kind     8  i64 offset     24  u32 length
 *   4  i32 fd       16 i64 size       28  u32 flags      32  u64 time in ns, for those who look at a recording
 *
 * One lock is held while a file or a folder is changed and the record of it is made, so that a kill finds none between the two. A sync makes
 * a record before it begins and one after its end: what is recorded before the first is durable by the second. What is sent is recorded before
 * it goes out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
  K_OPEN = 1, K_WRITE, K_TRUNCATE, K_SYNC_BEGIN, K_SYNC_END, K_CLOSE, K_RENAME, K_UNLINK, K_LINK, K_MKDIR, K_RMDIR, K_ACCEPT, K_SEND,
  K_UNSENT, K_UNSUPPORTED
};
enum what { NOTHING, FILE_BELOW, FOLDER_BELOW, CONNECTION };

struct head {
  uint32_t kind;
  int32_t fd;
  int64_t offset;
  int64_t size;
  uint32_t length;
  uint32_t flags;
  uint64_t time;
};

#define FDS_MAX 65536
static unsigned char what_is[FDS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;
static char root[PATH_MAX];
static size_t root_length;
static long kill_after;
static long records;

#define REAL(result, name, ...) \
  static result (*real_##name)(__VA_ARGS__); \
  if (real_##name == NULL) real_##name = dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("RECORDER_ROOT");
  const char *file = getenv("RECORDER_FILE");
  const char *after = getenv("RECORDER_KILL");
  if (folder == NULL || file == NULL) return;
  root_length = strlen(folder);
  if (root_length >= sizeof root) abort();
  memcpy(root, folder, root_length + 1);
  kill_after = after == NULL ? 0 : atol(after);
  out = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) abort();
}

/* The lock is held. */
static void put(enum kind kind, int fd, int64_t offset, int64_t size, uint32_t flags, const struct iovec *data, int parts, size_t length) {
  struct timespec now;
  struct iovec all[IOV_MAX + 1];
  int saved = errno;
  if (out < 0) return;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct head head = {kind, fd, offset, size, (uint32_t)length, flags, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
  if (parts > IOV_MAX) abort();
  all[0] = (struct iovec){&head, sizeof head};
  size_t left = length;
  int count = 1;
  for (int part = 0; part < parts && left > 0; part += 1) {
    size_t some = data[part].iov_len < left ? data[part].iov_len : left;
    all[count] = (struct iovec){data[part].iov_base, some};
    count += 1;
    left -= some;
  }
  if (syscall(SYS_writev, out, all, count) != (long)(sizeof head + length)) abort();
  records += 1;
  if (kill_after > 0 && records >= kill_after) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
  }
  errno = saved;
}

static void put_text(enum kind kind, int fd, uint32_t flags, const char *text) {
  struct iovec data = {(void *)(uintptr_t)text, strlen(text)};
  put(kind, fd, 0, 0, flags, &data, 1, data.iov_len);
}

/* A path below the folder, in `path`, or 0. Node and SQLite give absolute paths. */
static int below(const char *given, char path[PATH_MAX]) {
  if (out < 0 || given == NULL) return 0;
  if (given[0] != '/') {
    if (getcwd(path, PATH_MAX / 2) == NULL || strlen(given) >= PATH_MAX / 2) return 0;
    strcat(path, "/");
    strcat(path, given);
  } else {
    if (strlen(given) >= PATH_MAX) return 0;
    strcpy(path, given);
  }
  return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static const char *relative(const char *path) { return path[root_length] == 0 ? "" : path + root_length + 1; }

static enum what known(int fd) { return out >= 0 && fd >= 0 && fd < FDS_MAX ? what_is[fd] : NOTHING; }

static void opened(int fd, int flags, const char *path) {
  struct stat stat;
  if (fd < 0) return;
  if (fd >= FDS_MAX) abort();
  if (fstat(fd, &stat) != 0) abort();
  what_is[fd] = S_ISDIR(stat.st_mode) ? FOLDER_BELOW : FILE_BELOW;
  put_text(K_OPEN, fd, (uint32_t)flags, relative(path));
}

#define OPEN_BY(name) \
  int name(const char *given, int flags, ...) { \
    char path[PATH_MAX]; \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list arguments; \
      va_start(arguments, flags); \
      mode = va_arg(arguments, mode_t); \
      va_end(arguments); \
    } \
    REAL(int, name, const char *, int, ...); \
    if (!below(given, path)) return real_##name(given, flags, mode); \
    pthread_mutex_lock(&lock); \
    int fd = real_##name(given, flags, mode); \
    opened(fd, flags, path); \
    pthread_mutex_unlock(&lock); \
    return fd; \
  }
OPEN_BY(open)
OPEN_BY(open64)

#define OPENAT_BY(name) \
  int name(int folder, const char *given, int flags, ...) { \
    char path[PATH_MAX]; \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list arguments; \
      va_start(arguments, flags); \
      mode = va_arg(arguments, mode_t); \
      va_end(arguments); \
    } \
    REAL(int, name, int, const char *, int, ...); \
    if (!below(given, path)) return real_##name(folder, given, flags, mode); \
    pthread_mutex_lock(&lock); \
    int fd = real_##name(folder, given, flags, mode); \
    opened(fd, flags, path); \
    pthread_mutex_unlock(&lock); \
    return fd; \
  }
OPENAT_BY(openat)
OPENAT_BY(openat64)

int creat(const char *given, mode_t mode) { return open(given, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int close(int fd) {
  REAL(int, close, int);
  if (known(fd) == NOTHING) return real_close(fd);
  pthread_mutex_lock(&lock);
  what_is[fd] = NOTHING;
  put(K_CLOSE, fd, 0, 0, 0, NULL, 0, 0);
  int result = real_close(fd);
  pthread_mutex_unlock(&lock);
  return result;
}

static size_t sum(const struct iovec *data, int parts) {
  size_t length = 0;
  for (int part = 0; part < parts; part += 1) length += data[part].iov_len;
  return length;
}

/* What is at a file's own place, or at its end where it is opened for that. The lock is held. */
static off_t place_of(int fd) {
  if (fcntl(fd, F_GETFL) & O_APPEND) {
    struct stat stat;
    if (fstat(fd, &stat) != 0) abort();
    return stat.st_size;
  }
  return lseek(fd, 0, SEEK_CUR);
}

static void sent(int fd, const struct iovec *data, int parts) {
  pthread_mutex_lock(&lock);
  put(K_SEND, fd, 0, 0, 0, data, parts, sum(data, parts));
  pthread_mutex_unlock(&lock);
}

/* Of what was recorded as sent, the connection took only so much. */
static ssize_t took(int fd, ssize_t result, size_t length) {
  if (result >= 0 && (size_t)result == length) return result;
  pthread_mutex_lock(&lock);
  put(K_UNSENT, fd, 0, (int64_t)(length - (result > 0 ? (size_t)result : 0)), 0, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

/* Calls `writes`, which has no place of its own, and makes its record. */
#define WRITE_HERE(fd, data, parts, writes) \
  do { \
    pthread_mutex_lock(&lock); \
    off_t place = place_of(fd); \
    ssize_t written = writes; \
    if (written > 0) put(K_WRITE, fd, place, 0, 0, data, parts, (size_t)written); \
    pthread_mutex_unlock(&lock); \
    return written; \
  } while (0)

#define WRITE_AT(fd, place, data, parts, writes) \
  do { \
    pthread_mutex_lock(&lock); \
    ssize_t written = writes; \
    if (written > 0) put(K_WRITE, fd, place, 0, 0, data, parts, (size_t)written); \
    pthread_mutex_unlock(&lock); \
    return written; \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(ssize_t, write, int, const void *, size_t);
  struct iovec data = {(void *)(uintptr_t)bytes, length};
  if (known(fd) == CONNECTION) {
    sent(fd, &data, 1);
    return took(fd, real_write(fd, bytes, length), length);
  }
  if (known(fd) != FILE_BELOW) return real_write(fd, bytes, length);
  WRITE_HERE(fd, &data, 1, real_write(fd, bytes, length));
}

ssize_t writev(int fd, const struct iovec *data, int parts) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  if (known(fd) == CONNECTION) {
    sent(fd, data, parts);
    return took(fd, real_writev(fd, data, parts), sum(data, parts));
  }
  if (known(fd) != FILE_BELOW) return real_writev(fd, data, parts);
  WRITE_HERE(fd, data, parts, real_writev(fd, data, parts));
}

#define PWRITE_BY(name, place_type) \
  ssize_t name(int fd, const void *bytes, size_t length, place_type place) { \
    REAL(ssize_t, name, int, const void *, size_t, place_type); \
    if (known(fd) != FILE_BELOW) return real_##name(fd, bytes, length, place); \
    struct iovec data = {(void *)(uintptr_t)bytes, length}; \
    WRITE_AT(fd, place, &data, 1, real_##name(fd, bytes, length, place)); \
  }
PWRITE_BY(pwrite, off_t)
PWRITE_BY(pwrite64, off64_t)

#define PWRITEV_BY(name, place_type) \
  ssize_t name(int fd, const struct iovec *data, int parts, place_type place) { \
    REAL(ssize_t, name, int, const struct iovec *, int, place_type); \
    if (known(fd) != FILE_BELOW) return real_##name(fd, data, parts, place); \
    WRITE_AT(fd, place, data, parts, real_##name(fd, data, parts, place)); \
  }
PWRITEV_BY(pwritev, off_t)
PWRITEV_BY(pwritev64, off64_t)

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  REAL(ssize_t, send, int, const void *, size_t, int);
  struct iovec data = {(void *)(uintptr_t)bytes, length};
  if (known(fd) != CONNECTION) return real_send(fd, bytes, length, flags);
  sent(fd, &data, 1);
  return took(fd, real_send(fd, bytes, length, flags), length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
  if (known(fd) != CONNECTION) return real_sendmsg(fd, message, flags);
  sent(fd, message->msg_iov, (int)message->msg_iovlen);
  return took(fd, real_sendmsg(fd, message, flags), sum(message->msg_iov, (int)message->msg_iovlen));
}

#define TRUNCATE_BY(name, size_type) \
  int name(int fd, size_type size) { \
    REAL(int, name, int, size_type); \
    if (known(fd) != FILE_BELOW) return real_##name(fd, size); \
    pthread_mutex_lock(&lock); \
    int result = real_##name(fd, size); \
    if (result == 0) put(K_TRUNCATE, fd, 0, size, 0, NULL, 0, 0); \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
TRUNCATE_BY(ftruncate, off_t)
TRUNCATE_BY(ftruncate64, off64_t)

#define SYNC_BY(name) \
  int name(int fd) { \
    REAL(int, name, int); \
    if (known(fd) != FILE_BELOW && known(fd) != FOLDER_BELOW) return real_##name(fd); \
    pthread_mutex_lock(&lock); \
    put(K_SYNC_BEGIN, fd, 0, 0, 0, NULL, 0, 0); \
    pthread_mutex_unlock(&lock); \
    int result = real_##name(fd); \
    if (result != 0) return result; \
    pthread_mutex_lock(&lock); \
    put(K_SYNC_END, fd, 0, 0, 0, NULL, 0, 0); \
    pthread_mutex_unlock(&lock); \
    return result; \
  }
SYNC_BY(fsync)
SYNC_BY(fdatasync)

#define PATH_CHANGE(kind, result, path) \
  do { \
    pthread_mutex_lock(&lock); \
    int changed = result; \
    if (changed == 0) put_text(kind, -1, 0, relative(path)); \
    pthread_mutex_unlock(&lock); \
    return changed; \
  } while (0)

int unlink(const char *given) {
  char path[PATH_MAX];
  REAL(int, unlink, const char *);
  if (!below(given, path)) return real_unlink(given);
  PATH_CHANGE(K_UNLINK, real_unlink(given), path);
}

int unlinkat(int folder, const char *given, int flags) {
  char path[PATH_MAX];
  REAL(int, unlinkat, int, const char *, int);
  if (!below(given, path)) return real_unlinkat(folder, given, flags);
  PATH_CHANGE(flags & AT_REMOVEDIR ? K_RMDIR : K_UNLINK, real_unlinkat(folder, given, flags), path);
}

int remove(const char *given) {
  char path[PATH_MAX];
  REAL(int, remove, const char *);
  struct stat stat;
  if (!below(given, path)) return real_remove(given);
  int is_folder = lstat(given, &stat) == 0 && S_ISDIR(stat.st_mode);
  PATH_CHANGE(is_folder ? K_RMDIR : K_UNLINK, real_remove(given), path);
}

int mkdir(const char *given, mode_t mode) {
  char path[PATH_MAX];
  REAL(int, mkdir, const char *, mode_t);
  if (!below(given, path)) return real_mkdir(given, mode);
  PATH_CHANGE(K_MKDIR, real_mkdir(given, mode), path);
}

int rmdir(const char *given) {
  char path[PATH_MAX];
  REAL(int, rmdir, const char *);
  if (!below(given, path)) return real_rmdir(given);
  PATH_CHANGE(K_RMDIR, real_rmdir(given), path);
}

/* The two paths, one after the other: `offset` is the length of the first. Both are below, or neither. */
static int two_paths(enum kind kind, int (*change)(const char *, const char *), const char *from, const char *to) {
  char path[PATH_MAX], other[PATH_MAX];
  int is_below = below(from, path);
  if (is_below != below(to, other)) {
    pthread_mutex_lock(&lock);
    put_text(K_UNSUPPORTED, -1, 0, "a rename or link into or out of the folder");
    pthread_mutex_unlock(&lock);
  }
  if (!is_below) return change(from, to);
  pthread_mutex_lock(&lock);
  int result = change(from, to);
  struct iovec data[2] = {
    {(void *)(uintptr_t)relative(path), strlen(relative(path))},
    {(void *)(uintptr_t)relative(other), strlen(relative(other))},
  };
  if (result == 0) put(kind, -1, (int64_t)data[0].iov_len, 0, 0, data, 2, sum(data, 2));
  pthread_mutex_unlock(&lock);
  return result;
}

int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  return two_paths(K_RENAME, real_rename, from, to);
}

int link(const char *from, const char *to) {
  REAL(int, link, const char *, const char *);
  return two_paths(K_LINK, real_link, from, to);
}

/* What is not simulated, and would be missed: it shows in the recording, and fails the test. */
#define UNSUPPORTED_IF(condition, name) \
  if (condition) { \
    pthread_mutex_lock(&lock); \
    put_text(K_UNSUPPORTED, -1, 0, name); \
    pthread_mutex_unlock(&lock); \
  }

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t place) {
  REAL(void *, mmap64, void *, size_t, int, int, int, off64_t);
  UNSUPPORTED_IF(known(fd) == FILE_BELOW && (protection & PROT_WRITE) && (flags & MAP_SHARED), "mmap of a file to be written");
  return real_mmap64(address, length, protection, flags, fd, place);
}

ssize_t sendfile64(int to, int from, off64_t *place, size_t length) {
  REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
  UNSUPPORTED_IF(known(to) == FILE_BELOW, "sendfile");
  return real_sendfile64(to, from, place, length);
}

static void accepted(int fd) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  if (fd < 0 || out < 0) return;
  if (fd >= FDS_MAX) abort();
  if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return;
  int port = 0;
  if (peer.ss_family == AF_INET) port = ntohs(((struct sockaddr_in *)&peer)->sin_port);
  if (peer.ss_family == AF_INET6) port = ntohs(((struct sockaddr_in6 *)&peer)->sin6_port);
  if (port == 0) return;
  pthread_mutex_lock(&lock);
  what_is[fd] = CONNECTION;
  put(K_ACCEPT, fd, 0, port, 0, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  REAL(int, accept4, int, struct sockaddr *, socklen_t *, int);
  int fd = real_accept4(listener, address, length, flags);
  accepted(fd);
  return fd;
}

int accept(int listener, struct sockaddr *address, socklen_t *length) {
  REAL(int, accept, int, struct sockaddr *, socklen_t *);
  int fd = real_accept(listener, address, length);
  accepted(fd);
  return fd;
}
