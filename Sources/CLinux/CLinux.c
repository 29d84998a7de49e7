#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

static struct flock one_byte(short type, int64_t offset) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);  // l_pid must be 0 for OFD locks (fcntl(2))
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = offset;
    lock.l_len = 1;
    return lock;
}

int clinux_lock_byte(int fd, int64_t offset) {
    struct flock lock = one_byte(F_WRLCK, offset);
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_unlock_byte(int fd, int64_t offset) {
    struct flock lock = one_byte(F_UNLCK, offset);
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_byte_is_locked(int fd, int64_t offset) {
    struct flock lock = one_byte(F_WRLCK, offset);
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -1;
    return lock.l_type == F_UNLCK ? 0 : 1;
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_peer_uid(int fd, uid_t *uid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    *uid = peer.uid;
    return 0;
}

int clinux_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC); }

int clinux_reserve(int fd, int64_t length) {
    int error = posix_fallocate(fd, 0, length);
    if (error == 0) return 0;
    errno = error;
    return -1;
}

int clinux_begin_write_back(int fd, int64_t offset, int64_t count) {
    return sync_file_range(fd, offset, count, SYNC_FILE_RANGE_WRITE);
}

int clinux_next_data(int fd, int64_t offset, int64_t *begin, int64_t *end) {
    off_t data = lseek(fd, offset, SEEK_DATA);
    if (data < 0) return errno == ENXIO ? 0 : -1;
    off_t hole = lseek(fd, data, SEEK_HOLE);
    if (hole < 0) return -1;
    *begin = data;
    *end = hole;
    return 1;
}

int clinux_set_direct(int fd, int is_direct) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(fd, F_SETFL, is_direct ? flags | O_DIRECT : flags & ~O_DIRECT);
}

int clinux_sync_file_system(int fd) { return syncfs(fd); }

int clinux_tune_tcp(int fd, int idle, int interval, int count, int user_timeout_ms) {
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0) return -1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) != 0) return -1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) != 0) return -1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) != 0) return -1;
    return setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
}

pid_t clinux_spawn_detached(const char *path, char *const argv[], char *const envp[], const char *directory, int in,
                            int out, int err, int ready) {
    // Lift the descriptors above 3 first, so that no dup2 below overwrites one that is still needed.
    int high_in = in < 0 ? -1 : fcntl(in, F_DUPFD_CLOEXEC, 10);
    int high_out = fcntl(out, F_DUPFD_CLOEXEC, 10), high_err = fcntl(err, F_DUPFD_CLOEXEC, 10);
    int high_ready = ready < 0 ? -1 : fcntl(ready, F_DUPFD_CLOEXEC, 10);
    if ((in >= 0 && high_in < 0) || high_out < 0 || high_err < 0 || (ready >= 0 && high_ready < 0)) {
        // A dup2 of -1 would be left out, and the child would write to our own terminal.
        int error = errno;
        if (high_in >= 0) close(high_in);
        if (high_out >= 0) close(high_out);
        if (high_err >= 0) close(high_err);
        if (high_ready >= 0) close(high_ready);
        errno = error;
        return -1;
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (directory) posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (high_in >= 0) posix_spawn_file_actions_adddup2(&actions, high_in, 0);
    else posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, high_out, 1);
    posix_spawn_file_actions_adddup2(&actions, high_err, 2);
    if (high_ready >= 0) posix_spawn_file_actions_adddup2(&actions, high_ready, 3);
    posix_spawn_file_actions_addclosefrom_np(&actions, high_ready >= 0 ? 4 : 3);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    int error = posix_spawn(&pid, path, &actions, &attributes, argv, envp);
    if (high_in >= 0) close(high_in);
    close(high_out);
    close(high_err);
    if (high_ready >= 0) close(high_ready);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error == 0) return pid;
    errno = error;
    return -1;
}

int clinux_memory_file(void) { return memfd_create("ecr", MFD_CLOEXEC); }

void clinux_share_malloc_arenas(int count) { mallopt(M_ARENA_MAX, count); }

int clinux_wait_child(pid_t pid, int timeout_ms, int *status) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);  // glibc has a wrapper only since 2.36
    if (fd < 0) return -1;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready;
    do ready = poll(&wait, 1, timeout_ms); while (ready < 0 && errno == EINTR);
    close(fd);
    if (ready <= 0) return ready;
    return waitpid(pid, status, 0) == pid ? 1 : -1;
}

ssize_t clinux_executable_path(char *buffer, size_t size) { return readlink("/proc/self/exe", buffer, size); }

int clinux_clock_is_synchronised(void) {
    struct timex state;
    memset(&state, 0, sizeof state);  // modes 0: only read
    if (adjtimex(&state) < 0) return -1;
    return state.status & STA_UNSYNC ? 0 : 1;
}
